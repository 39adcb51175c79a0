interface Listed {
  id: string;
  architecture?: { output_modalities?: string[] };
}

/** The first model on sale that answers in text. @param url the sidecar's */
export async function pickModel(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/models`);
  const { data } = (await response.json()) as { data: Listed[] };
  const chat = data.find(({ architecture }) => architecture?.output_modalities?.includes('text') ?? true);
  return (chat ?? data[0])?.id ?? 'model';
}
