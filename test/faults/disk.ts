import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** What a campaign of a hundred thousand orders needs at most. It is memory, and only what is used of it. */
const SIZE = '8g';
const LEFT_OVER = 64 * 1024 * 1024;
const BIT = Buffer.alloc(1024 * 1024);

/** A disk that can be filled without harm to anybody else's. */
export class Disk {
  private constructor(
    readonly folder: string,
    /** Only root may mount one; without it there is no full disk in the campaign, and its report says so. */
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
   * Makes it so small that it is full. To fill it as it is would take memory that other campaigns need. The last of it
   * goes bit by bit, because others write as well.
   */
  async fill(): Promise<void> {
    const { blocks, bfree, bsize } = await statfs(this.folder);
    mount(this.folder, `remount,size=${(blocks - bfree) * bsize + LEFT_OVER}`);
    for (;;) {
      try {
        await appendFile(this.ballast, BIT);
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
