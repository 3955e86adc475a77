import { focusManager } from '@tanstack/react-query';

/**
 * Without a sign of a person for this long, the screens stop asking the server. What they ask counts as use of the
 * session: a console that is left open would otherwise never run into the session's idle timeout.
 */
const PRESENT_MS = 10 * 60_000;

const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;

/** Screens that refresh themselves do so while somebody is there, and at once when somebody comes back. */
export function watchPresence(): void {
  focusManager.setEventListener((setFocused) => {
    let present = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = () => setFocused(present && document.visibilityState === 'visible');
    const sign = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        present = false;
        tell();
      }, PRESENT_MS);
      if (!present) {
        present = true;
        tell();
      }
    };
    sign();
    for (const name of SIGNS) window.addEventListener(name, sign, { passive: true });
    document.addEventListener('visibilitychange', tell);
    return () => {
      clearTimeout(timer);
      for (const name of SIGNS) window.removeEventListener(name, sign);
      document.removeEventListener('visibilitychange', tell);
    };
  });
}
