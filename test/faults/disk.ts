import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** Enough for a campaign of a hundred thousand orders. tmpfs takes memory only for the used part. */
const SIZE = '8g';
/** Free bytes after shrinking, filled with chunks until the disk is full. */
const FREE_BYTES = 64 * 1024 * 1024;
const CHUNK = Buffer.alloc(1024 * 1024);

/** A separate file system, so that filling it does not affect other programs. */
export class Disk {
  private constructor(
    readonly folder: string,
    /** Only root may mount one. Otherwise the campaign has no full disk, and its report states that. */
    readonly isOwn: boolean,
  ) {}

  static async mount(folder: string): Promise<Disk> {
    await mkdir(folder);
    try {
      mount(folder, `size=${SIZE},mode=755`);
      return new Disk(folder, true);
    } catch {
      return new Disk(folder, false);
    }
  }

  unmount(): void {
    if (this.isOwn) execFileSync('umount', ['--lazy', this.folder]);
  }

  /**
   * Shrinks the file system until it is nearly full, because filling all of it would take memory that other campaigns
   * need, and fills the rest in chunks, because PostgreSQL writes at the same time.
   */
  async fill(): Promise<void> {
    const { blocks, bfree, bsize } = await statfs(this.folder);
    mount(this.folder, `remount,size=${(blocks - bfree) * bsize + FREE_BYTES}`);
    for (;;) {
      try {
        await appendFile(this.ballast, CHUNK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
        throw error;
      }
    }
  }

  async free(): Promise<void> {
    await rm(this.ballast, { force: true });
    mount(this.folder, `remount,size=${SIZE}`);
  }

  private get ballast(): string {
    return join(this.folder, 'ballast');
  }
}

function mount(folder: string, options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
}
