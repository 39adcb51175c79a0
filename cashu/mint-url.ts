const maxLength = 512;

/**
 * The one spelling of a mint's URL, so that a token's mint and the allow-list compare as strings: http or https, host in
 * lower case, no default port, no trailing slash; the path is kept, a mint may live under one.
 * @returns undefined when it is not a URL that a mint can have (credentials, query, fragment, percent signs)
 */
export function normalizeMintUrl(url: string): string | undefined {
  if (url.length > maxLength || /[?#%\\\s]/.test(url)) return undefined;
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) return undefined;
  if (parsed.username !== '' || parsed.password !== '') return undefined;
  return parsed.href.replace(/\/+$/, '');
}
