/** An error message for the user of the example, printed without a stack. */
export class Refusal extends Error {}

/** A client of a running shop's HTTP API. */
export class Shop {
  constructor(url) {
    this.url = url.replace(/\/+$/, '');
  }

  get(path) {
    return this.ask('GET', path);
  }

  post(path, body) {
    return this.ask('POST', path, { type: 'application/json', body: JSON.stringify(body) });
  }

  postLines(path, objects) {
    const body = objects.map((object) => `${JSON.stringify(object)}\n`).join('');
    return this.ask('POST', path, { type: 'application/x-ndjson', body });
  }

  /** All items of a list, from all of its pages. */
  async list(path) {
    const items = [];
    for (let cursor = ''; cursor !== null; ) {
      const page = await this.get(`${path}${path.includes('?') ? '&' : '?'}limit=200${cursor && `&cursor=${cursor}`}`);
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  }

  /** @throws {Refusal} when there is no answer, or it is not a success */
  async ask(method, path, { type, body } = {}) {
    const response = await this.reach(path, { method, headers: type ? { 'content-type': type } : {}, body });
    const text = await response.text();
    if (response.ok && response.headers.get('content-type')?.includes('json')) return JSON.parse(text);
    throw new Refusal(`Unexpected answer to ${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  }

  async reach(path, request) {
    try {
      return await fetch(`${this.url}${path}`, request);
    } catch ({ cause }) {
      // The message of fetch is only "fetch failed"; the cause has the reason.
      throw new Refusal(`No shop answers at ${this.url} (${cause?.code ?? cause?.message ?? 'not an address'}).
Start one with "npm start", or pass its address: npm run northwind -- http://127.0.0.1:3001`);
    }
  }
}
