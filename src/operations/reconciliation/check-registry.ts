import { Inject, Injectable, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { EventCheck, ModuleChecks, RowCheck } from '../checks.js';

/** Injects the classes that contribute checks in this process. */
export const CHECK_CLASSES = Symbol('check classes');

/** All reconciliation checks of this process. */
@Injectable()
export class CheckRegistry {
  private found: readonly (RowCheck | EventCheck)[] | undefined;

  constructor(
    private readonly moduleRef: ModuleRef,
    @Inject(CHECK_CLASSES) private readonly types: readonly Type<ModuleChecks>[],
  ) {}

  /** Checks on rows first. Available once all modules are instantiated. */
  get all(): readonly (RowCheck | EventCheck)[] {
    this.found ??= this.read();
    return this.found;
  }

  private read(): readonly (RowCheck | EventCheck)[] {
    const all = this.types.map((type) => this.moduleRef.get(type, { strict: false }));
    return [...all.flatMap(({ rowChecks }) => rowChecks ?? []), ...all.flatMap(({ eventChecks }) => eventChecks ?? [])];
  }
}
