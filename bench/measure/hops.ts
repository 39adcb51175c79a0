import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { freePorts } from './free-ports.ts';
import type { Program, Programs } from './program.ts';
import { answered } from './shop.ts';

/** A server between client and model. */
export interface Hop {
  name: string;
  program: Program;
  url: string;
}

export async function startHop(
  programs: Programs,
  name: string,
  script: string,
  upstream: string,
): Promise<Hop> {
  const program = programs.node(script, { env: { UPSTREAM: upstream }, stdout: 'piped' });
  return { name, program, url: await program.firstLine() };
}

/** @returns undefined when there is no nginx on the PATH */
export async function startNginx(
  programs: Programs,
  upstream: string,
  folder: string,
): Promise<Hop | undefined> {
  const path = (process.env.PATH ?? '').split(delimiter);
  if (!path.some((place) => existsSync(join(place, 'nginx')))) return undefined;
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, 'nginx.conf');
  await writeFile(config, nginxConfig(port!, upstream));
  const program = programs.command('nginx', ['-p', folder, '-c', config, '-e', 'stderr']);
  await program.until(() => answered(`${url}/v1/models`));
  return { name: 'nginx', program, url };
}

/** One process, as the others are, that keeps its connections to the model and sends streams on as they come. */
function nginxConfig(port: number, upstream: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${kind};`,
  );
  return `
daemon off;
master_process off;
pid nginx.pid;
events { worker_connections 4096; }
http {
  ${paths.join('\n  ')}
  access_log off;
  keepalive_requests 1000000;
  upstream model { server ${new URL(upstream).host}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`;
}
