import type { NestFastifyApplication } from '@nestjs/platform-fastify';

interface Route {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

/** The methods of each route, for 405 responses: Fastify answers 404 when only the method does not match. */
export class RouteTable {
  private readonly routes: Route[] = [];

  /** Collects the routes that are added after this call. */
  static of(app: NestFastifyApplication): RouteTable {
    const table = new RouteTable();
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRoute', ({ url, method }) => table.add(url, [method].flat()));
    return table;
  }

  methodsAt(url: string): string[] {
    const path = url.split(/[?#]/, 1)[0] ?? '';
    const found = this.routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods);
    return [...new Set(found)].toSorted();
  }

  private add(url: string, methods: readonly string[]): void {
    const source = url
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:[^/]+/g, '[^/]+')
      .replaceAll('*', '.*');
    this.routes.push({ pattern: new RegExp(`^${source}$`), methods });
  }
}
