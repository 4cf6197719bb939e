import { linkSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setupFolder } from './project.mjs';

const heartbeatMs = 2_000;
const deadAfterMs = 30_000;
const pollMs = 100;

/**
 * Runs `work` while no other set-up of this folder does: two at once would install into, and build over, each
 * other. A lock whose holder died is taken over: the holder touches the file while it lives, so that a reused
 * process id cannot keep everybody waiting.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @param {(holder: number) => void} onWait called once when another process holds the lock
 * @param {string} [folder] where the lock lies
 * @returns {Promise<T>}
 */
export async function withSetupLock(work, onWait, folder = setupFolder) {
  mkdirSync(folder, { recursive: true });
  const lockPath = join(folder, 'lock');
  let told = false;
  while (!tryAcquire(lockPath)) {
    const holder = holderOf(lockPath);
    if (holder.dead) {
      takeOver(lockPath);
    } else {
      if (!told) onWait(holder.pid);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
  const heartbeat = setInterval(touch, heartbeatMs, lockPath);
  const release = () => {
    // Not when it was taken from us, for example because this machine slept.
    if (holderOf(lockPath).pid === process.pid) rmSync(lockPath, { force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.removeListener('exit', release);
    release();
  }
}

/** The file appears with its content or not at all: written aside, then linked to its name. */
function tryAcquire(lockPath) {
  const own = `${lockPath}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, lockPath);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function touch(lockPath) {
  try {
    const now = new Date();
    utimesSync(lockPath, now, now);
  } catch {
    // Somebody removed target/ meanwhile; the work goes on, and there is nothing left to keep alive.
  }
}

function holderOf(lockPath) {
  try {
    const pid = Number(readFileSync(lockPath, 'utf8'));
    const silentMs = Date.now() - statSync(lockPath).mtimeMs;
    return { pid, dead: !isAlive(pid) || silentMs > deadAfterMs };
  } catch {
    return { pid: 0, dead: false }; // Released between our attempt and now: simply try again.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Only one of several waiters may remove a dead lock, or the second would remove the first one's new lock. */
function takeOver(lockPath) {
  const guard = `${lockPath}.takeover`;
  try {
    mkdirSync(guard);
  } catch {
    const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > deadAfterMs) rmSync(guard, { recursive: true, force: true });
    return;
  }
  try {
    if (holderOf(lockPath).dead) rmSync(lockPath, { force: true });
  } finally {
    rmSync(guard, { recursive: true, force: true });
  }
}
