import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HealthChecks } from '../../common/monitoring/health-checks.js';
import { Metrics } from '../../common/monitoring/metrics.js';
import { BackPressure } from '../back-pressure.js';
import { BacklogGauges, PauseGauges } from '../delivery/backlog-gauges.js';
import { Subscriptions } from '../registry/subscriptions.js';
import { BackboneLifecycle } from './backbone-lifecycle.js';

/** Adds the health checks and the gauges of the backbone. */
@Injectable()
export class BackboneMonitoring implements OnModuleInit {
  constructor(
    private readonly health: HealthChecks,
    private readonly metrics: Metrics,
    private readonly lifecycle: BackboneLifecycle,
    private readonly backPressure: BackPressure,
    private readonly subscriptions: Subscriptions,
  ) {}

  onModuleInit(): void {
    this.health.add('deliveries', () => this.lifecycle.assertAlive());
    this.health.add('queues', () => this.lifecycle.assertConnected());
    this.health.add('backlog', () => this.backPressure.assertHealthy());
    const subscribers = this.subscriptions.all.map(({ name }) => name);
    const pauses = new PauseGauges(subscribers);
    this.metrics.add(pauses);
    this.metrics.add(new BacklogGauges(subscribers, pauses));
  }
}
