import { Injectable } from '@nestjs/common';
import { BusinessModule } from '../../src/backbone/business-module.js';
import { SideEffect } from '../../src/backbone/decorators.js';
import { OrderConfirmed } from '../../src/orders/orders.events.js';

/** Hears what notifications would hear, under its name and by its rules, and has nothing to do. */
@Injectable()
export class CourierReactions {
  /** Told of every order that the side effect has begun for. */
  heard: (orderId: string) => void = () => undefined;

  @SideEffect(OrderConfirmed, { orderingGroup: 'emails', behindDead: 'pass' })
  async emailConfirmation({ data }: OrderConfirmed): Promise<void> {
    this.heard(data.orderId);
  }
}

@BusinessModule({
  name: 'notifications',
  events: {},
  controllers: [],
  providers: [CourierReactions],
  entities: [],
  migrations: [],
})
export class CourierModule {}
