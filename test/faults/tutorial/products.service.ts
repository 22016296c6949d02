// The habit: find the row, change the object, save it.
import { Inject, Injectable, NotFoundException } from '@nestjs/common';
import type { Repository } from 'typeorm';
import { PRODUCTS } from './database.module.js';
import type { Product } from './product.entity.js';
import { type ProductLine, productLine } from './schemas.js';

@Injectable()
export class ProductsService {
  constructor(@Inject(PRODUCTS) private readonly products: Repository<Product>) {}

  /** One product per line, as NDJSON. */
  async import(text: string) {
    const report = { listed: 0, changed: 0, unchanged: 0, rejected: [] as Rejected[], rejectedTotal: 0 };
    for (const [index, line] of text.split('\n').entries()) {
      if (line.trim() === '') continue;
      const parsed = productLine.safeParse(jsonOf(line));
      if (parsed.success) report[await this.put(parsed.data)] += 1;
      else report.rejected.push({ line: index + 1, code: 'request-invalid', detail: parsed.error.message });
    }
    return { ...report, rejectedTotal: report.rejected.length };
  }

  async find(sku: string): Promise<Product> {
    const product = await this.products.findOneBy({ sku });
    if (!product) throw new NotFoundException(`There is no product ${sku}`);
    return product;
  }

  async receive(sku: string, quantity: number): Promise<Product> {
    const product = await this.find(sku);
    product.stock += quantity;
    return this.products.save(product);
  }

  private async put({ unitPrice, onHand = 0, ...fields }: ProductLine): Promise<'listed' | 'changed'> {
    const known = await this.products.findOneBy({ sku: fields.sku });
    const product = known ?? this.products.create({ stock: onHand });
    this.products.merge(product, { ...fields, unitAmount: unitPrice.amount, currency: unitPrice.currency });
    await this.products.save(product);
    return known ? 'changed' : 'listed';
  }
}

interface Rejected {
  readonly line: number;
  readonly code: string;
  readonly detail: string;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
