import { BusinessModule } from '../../../src/backbone/business-module.js';
import { Alert } from './alert.entity.js';
import { AlertsController } from './alerts.controller.js';
import * as events from './alerts.events.js';
import { AlertsReactions } from './alerts.reactions.js';
import { AlertsService } from './alerts.service.js';
import { CreateAlerts1770000002000 } from './migrations/1770000002000-create-alerts.js';

/** Raises an alert when a reading is above the limit, clears it when one is not, and notifies the operators. */
@BusinessModule({
  name: 'alerts',
  events,
  controllers: [AlertsController],
  providers: [AlertsService, AlertsReactions],
  entities: [Alert],
  migrations: [CreateAlerts1770000002000],
})
export class AlertsModule {}
