/** The bytes of a request, created before the measurement starts. */
export function post(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Buffer {
  const text = JSON.stringify(body);
  const length = String(Buffer.byteLength(text));
  return request('POST', path, { 'content-type': 'application/json', 'content-length': length, ...headers }, text);
}

export function get(path: string): Buffer {
  return request('GET', path, {}, '');
}

function request(method: string, path: string, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}
