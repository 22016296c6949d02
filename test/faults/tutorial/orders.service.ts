// The habit: read, check and save in one transaction, and emit an event after the commit.
import { ConflictException, Inject, Injectable, NotFoundException, UnprocessableEntityException } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { DataSource, type EntityManager, In, type Repository } from 'typeorm';
import { ORDERS } from './database.module.js';
import { Order } from './order.entity.js';
import { OrderEvent } from './order.event.js';
import { Product } from './product.entity.js';
import type { OrderInput, PageQuery, ShipmentInput } from './schemas.js';

@Injectable()
export class OrdersService {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ORDERS) private readonly orders: Repository<Order>,
    private readonly eventEmitter: EventEmitter2,
  ) {}

  async place({ customer, shippingAddress, lines, reference }: OrderInput): Promise<Order> {
    const order = await this.dataSource.transaction(async (manager) => {
      const products = await findProducts(manager, lines);
      const short = takeFromStock(products, lines);
      if (short.length === 0) await manager.save([...products.values()]);
      const draft = manager.create(Order, {
        status: short.length === 0 ? 'confirmed' : 'rejected',
        reference: reference ?? null,
        customerName: customer.name,
        customerEmail: customer.email,
        shippingAddress,
        currency: productOf(products, lines[0]?.sku).currency,
        lines: lines.map(({ sku, quantity }) => {
          const { name, unitAmount } = productOf(products, sku);
          return { sku, name, quantity, unitAmount };
        }),
        rejection: short.length === 0 ? null : { reason: 'Not enough in stock', lines: short },
      });
      return manager.save(draft);
    });
    this.emit(order);
    return order;
  }

  async cancel(id: string, reason: string): Promise<Order> {
    const order = await this.dataSource.transaction(async (manager) => {
      const order = await findConfirmed(manager, id);
      const products = await findProducts(manager, order.lines);
      for (const { sku, quantity } of order.lines) productOf(products, sku).stock += quantity;
      await manager.save([...products.values()]);
      order.status = 'cancelled';
      order.cancellation = { reason };
      return manager.save(order);
    });
    this.emit(order);
    return order;
  }

  async ship(id: string, shipment: ShipmentInput): Promise<Order> {
    const order = await this.dataSource.transaction(async (manager) => {
      const order = await findConfirmed(manager, id);
      order.status = 'shipped';
      order.shipment = shipment;
      return manager.save(order);
    });
    this.emit(order);
    return order;
  }

  async find(id: string): Promise<Order> {
    const order = await this.orders.findOneBy({ id });
    if (!order) throw new NotFoundException(`There is no order ${id}`);
    return order;
  }

  list({ cursor, limit }: PageQuery): Promise<Order[]> {
    return this.orders.find({ order: { placedAt: 'DESC', id: 'DESC' }, skip: cursor, take: limit });
  }

  private emit({ id, status }: Order): void {
    this.eventEmitter.emit(`order.${status}`, new OrderEvent(id, status));
  }
}

interface Line {
  readonly sku: string;
  readonly quantity: number;
}

type Products = ReadonlyMap<string, Product>;

async function findProducts(manager: EntityManager, lines: readonly Line[]): Promise<Products> {
  const products = await manager.findBy(Product, { sku: In(lines.map(({ sku }) => sku)) });
  return new Map(products.map((product) => [product.sku, product]));
}

function productOf(products: Products, sku = ''): Product {
  const product = products.get(sku);
  if (!product) throw new UnprocessableEntityException(`There is no product ${sku}`);
  return product;
}

async function findConfirmed(manager: EntityManager, id: string): Promise<Order> {
  const order = await manager.findOneBy(Order, { id });
  if (!order) throw new NotFoundException(`There is no order ${id}`);
  if (order.status !== 'confirmed') throw new ConflictException(`The order is ${order.status}`);
  return order;
}

/** Subtracts the lines from the stock. Returns the lines for which there was not enough. */
function takeFromStock(products: Products, lines: readonly Line[]) {
  return lines.flatMap(({ sku, quantity }) => {
    const product = productOf(products, sku);
    if (product.stock < quantity) return [{ sku, requested: quantity, available: product.stock }];
    product.stock -= quantity;
    return [];
  });
}
