interface Listed {
  id: string;
  architecture?: { output_modalities?: string[] };
}

/**
 * A model to show in an example: on sale, answering in text, and one that the upstream really has, if it tells.
 * @param sidecar its URL
 * @param upstream its URL with the `/v1`
 */
export async function pickModel(sidecar: string, upstream: string): Promise<string> {
  const [sold, present] = await Promise.all([list(`${sidecar}/v1/models`), list(`${upstream}/models`)]);
  const texts = sold.filter(({ architecture }) => architecture?.output_modalities?.includes('text') ?? true);
  const known = new Set(present.map(({ id }) => id));
  return (texts.find(({ id }) => known.has(id)) ?? texts[0] ?? sold[0])?.id ?? 'model';
}

async function list(url: string): Promise<Listed[]> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    const { data } = (await response.json()) as { data?: Listed[] };
    return Array.isArray(data) ? data : [];
  } catch {
    return []; // An upstream may keep its list to those with a key.
  }
}
