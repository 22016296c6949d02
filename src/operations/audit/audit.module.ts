import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { Audit } from './audit.js';

/** The audit of the operators' actions. */
@Module({ controllers: [AuditController], providers: [Audit], exports: [Audit] })
export class AuditModule {}
