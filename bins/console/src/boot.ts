// The first module: it runs alone. Nothing with an effect may be imported here, or it would run earlier.
import { takeArrival } from './session/fragment';

const arrival = takeArrival(window.location, window.history);

void import('./main').then(({ start }) => start(arrival));
