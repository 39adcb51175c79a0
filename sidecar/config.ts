import { readFile } from 'node:fs/promises';
import type { TSchema } from 'typebox';
import Value from 'typebox/value';
import { ConfigError } from './config-error.ts';
import { type SettingName, Settings } from './settings.ts';

const names = Object.keys(Settings.properties) as SettingName[];
const required: ReadonlySet<string> = new Set(Settings.required);
const secrets: ReadonlySet<string> = new Set([
  'UPSTREAM_API_KEY',
  'WALLET_VIEW_KEY',
  'DATABASE_URL',
  'DRAIN_TOKEN',
]);

/**
 * Settings from the environment and, where `CONFIG_FILE` names one, a JSON file with the same names. The environment wins.
 * @throws ConfigError with one line a problem
 */
export async function readSettings(env: Readonly<Record<string, string | undefined>>): Promise<Settings> {
  const file = env.CONFIG_FILE ? await readConfigFile(env.CONFIG_FILE) : {};
  const given: Record<string, unknown> = { ...file };
  const problems: string[] = [];
  for (const name of names) {
    const text = env[name]?.trim();
    if (text) given[name] = fromText(name, text, problems);
  }
  const value = Value.Default(Settings, given) as Record<string, unknown>;
  // One by one: a look at all of them together stops at its eighth problem.
  for (const name of new Set([...names, ...Object.keys(value)])) {
    if (!isUsable(name, value[name])) problems.push(problem(name, given));
  }
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return value as unknown as Settings;
}

/** The file's text as settings, unchecked but for being a JSON object. */
async function readConfigFile(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`CONFIG_FILE: can't read ${path} (${(error as NodeJS.ErrnoException).code})`]);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Answered below: JSON.parse's message quotes the file, which may hold a secret.
  }
  throw new ConfigError([`CONFIG_FILE: ${path} must hold one JSON object of settings`]);
}

function fromText(name: SettingName, text: string, problems: string[]): unknown {
  const schema = Settings.properties[name] as { type?: string; items?: { type?: string } };
  if (schema.type === 'array' && schema.items?.type === 'string') {
    return text.split(',').flatMap((item) => item.trim() || []);
  }
  if (schema.type === 'array') {
    try {
      return JSON.parse(text);
    } catch {
      problems.push(problem(name, { [name]: text }));
      return [];
    }
  }
  if (schema.type === 'boolean')
    return /^(true|1|yes)$/i.test(text) || (/^(false|0|no)$/i.test(text) ? false : text);
  if (schema.type === 'integer' || schema.type === 'number')
    return /^-?[0-9.]+$/.test(text) ? Number(text) : text;
  return text;
}

function isUsable(name: string, value: unknown): boolean {
  const schema = (Settings.properties as Record<string, TSchema | undefined>)[name];
  if (schema === undefined) return false;
  return value === undefined ? !required.has(name) : Value.Check(schema, value);
}

function problem(name: string, given: Readonly<Record<string, unknown>>): string {
  const schema = (Settings.properties as Record<string, { description?: string } | undefined>)[name];
  if (!schema) return `${name}: there is no such setting`;
  const value = given[name];
  const got =
    value === undefined ? 'it is missing' : secrets.has(name) ? 'got something else' : `got ${show(value)}`;
  return `${name}: expected ${schema.description}; ${got}`;
}

function show(value: unknown): string {
  // A URL may hold a password.
  return (JSON.stringify(value) ?? String(value)).replace(/\/\/[^/@\s]*@/g, '//…@').slice(0, 100);
}
