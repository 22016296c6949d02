import { Injectable } from '@nestjs/common';
import { ReactsTo, SideEffect, type SideEffectContext } from '../../../src/backbone/decorators.js';
import type { Transaction } from '../../../src/backbone/transaction.js';
import { ReadingTaken } from '../readings/readings.events.js';
import { AlertRaised } from './alerts.events.js';
import { AlertsService } from './alerts.service.js';

@Injectable()
export class AlertsReactions {
  constructor(private readonly alerts: AlertsService) {}

  @ReactsTo(ReadingTaken)
  async compareWithLimit({ data }: ReadingTaken, tx: Transaction): Promise<void> {
    await this.alerts.compare(data.sensor, data.celsius, tx);
  }

  @SideEffect(AlertRaised)
  async notifyOperators(event: AlertRaised, { signal }: SideEffectContext): Promise<void> {
    await this.alerts.notify(event, signal);
  }
}
