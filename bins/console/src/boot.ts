// The first module: it runs alone. Nothing with an effect may be imported here, or it would run earlier.
import { showSignIn } from './session/early';
import { takeArrival } from './session/fragment';

const arrival = takeArrival(window.location, window.history);
const early = arrival.kind === 'plain' ? showSignIn() : null;

/** The rest keeps the browser busy: the form comes first, unless nobody looks and it is never drawn. */
const drawn = new Promise<void>((resolve) => {
  if (!early || document.hidden) return resolve();
  requestAnimationFrame(() => setTimeout(resolve));
});

void drawn.then(() => {
  // The screen that is wanted first, beside what every screen needs.
  if (early) void import('./screens/login/Login').catch(() => {});
  return import('./main').then(
    ({ start }) => start(arrival, early),
    () => {
      const told = document.createElement('p');
      told.role = 'alert';
      told.textContent = 'The console could not be loaded. Check the connection, and load the page again.';
      document.body.prepend(told);
    },
  );
});
