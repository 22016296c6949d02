import { Injectable } from '@nestjs/common';
import { BusinessModule } from '../../src/backbone/business-module.js';
import { SideEffect } from '../../src/backbone/decorators.js';
import { OrderConfirmed } from '../../src/orders/orders.events.js';

/** Has the name and the options of the subscriber in notifications, but does nothing. */
@Injectable()
export class CourierReactions {
  /** Called when the side effect starts for an order. */
  onStart: (orderId: string) => void = () => undefined;

  @SideEffect(OrderConfirmed, { orderingGroup: 'emails', behindDead: 'pass' })
  async emailConfirmation({ data }: OrderConfirmed): Promise<void> {
    this.onStart(data.orderId);
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
