// The first module: it runs alone. Nothing with an effect may be imported here, or it would run earlier.
import { showSignIn } from './session/early';
import { takeArrival } from './session/fragment';

const arrival = takeArrival(window.location, window.history);
const early = arrival.kind === 'plain' ? showSignIn() : null;

import('./main').then(
  ({ start }) => start(arrival, early),
  () => {
    const told = document.createElement('p');
    told.role = 'alert';
    told.textContent = 'The console could not be loaded. Check the connection, and load the page again.';
    document.body.prepend(told);
  },
);
// The screen that most people see first, beside the rest.
if (early) void import('./screens/login/Login').catch(() => {});
