import { Inject, Injectable, Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { type Transaction, Transactions } from '../../../src/backbone/transaction.js';
import { CONFIG, type Config } from '../config.js';
import { Alert } from './alert.entity.js';
import { AlertCleared, AlertRaised } from './alerts.events.js';

/** The unique index refuses a second alert while one is open. */
const RAISE = `
  INSERT INTO alerts.alert (id, sensor, celsius) VALUES ($1, $2, $3)
  ON CONFLICT (sensor) WHERE cleared_at IS NULL DO NOTHING RETURNING id`;
const CLEAR = 'UPDATE alerts.alert SET cleared_at = now() WHERE sensor = $1 AND cleared_at IS NULL RETURNING id';

@Injectable()
export class AlertsService {
  private readonly logger = new Logger(AlertsService.name);

  constructor(
    private readonly transactions: Transactions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Raises an alert above the limit, and clears it otherwise. */
  async compare(sensor: string, celsius: number, tx: Transaction): Promise<void> {
    const isAbove = celsius > this.config.alerts.aboveCelsius;
    const [statement, parameters] = isAbove ? [RAISE, [uuidv7(), sensor, celsius]] : [CLEAR, [sensor]];
    const [alert] = await tx.query<{ id: string }>(statement, parameters);
    if (alert) tx.publish((isAbove ? AlertRaised : AlertCleared)({ alertId: alert.id, sensor, celsius }));
  }

  /** May run twice for one event: the receiver recognises the repetition by its key. */
  async notify({ id, data }: AlertRaised, signal: AbortSignal): Promise<void> {
    const { webhookUrl } = this.config.alerts;
    if (!webhookUrl) return this.logger.warn(`${data.sensor} has ${data.celsius} °C`, data);
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': id };
    const response = await fetch(webhookUrl, { method: 'POST', headers, body: JSON.stringify(data), signal });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`ALERT_WEBHOOK_URL answered with ${response.status}`);
  }

  newest(count: number): Promise<Alert[]> {
    return this.transactions.read((manager) => manager.find(Alert, { order: { id: 'DESC' }, take: count }));
  }
}
