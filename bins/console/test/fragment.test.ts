import { describe, expect, it, vi } from 'vitest';
import { takeArrival } from '../src/session/fragment';

const TOKEN = 'k3Jb-1xQ_0vYd8mZpW7fRtHs2uLcNaGeOiXy5B6VjKM';

function arriveAt(hash: string) {
  const replaceState = vi.fn();
  const location = { hash, pathname: '/', search: '' };
  const arrival = takeArrival(location, { replaceState } as unknown as History);
  return { arrival, replaceState };
}

describe('what the browser arrives with', () => {
  it('is taken out of the address', () => {
    const { arrival, replaceState } = arriveAt(`#oidc_session=${TOKEN}`);
    expect(arrival).toEqual({ kind: 'token', token: TOKEN });
    expect(replaceState).toHaveBeenCalledExactlyOnceWith(null, '', '/');
  });

  it.each([
    '#oidc_session=',
    '#oidc_session=short',
    `#x&oidc_session=${TOKEN}`,
    `#oidc_session=${TOKEN}&x=<b>`,
    '#oidc_session=%00',
  ])('is taken out and not believed when it is no token: %s', (hash) => {
    const { arrival, replaceState } = arriveAt(hash);
    expect(arrival).toEqual({ kind: 'malformed' });
    expect(replaceState).toHaveBeenCalledOnce();
  });

  it.each(['', '#', '#error=state_invalid&ref=7f3a'])('is left alone when it is something else: %s', (hash) => {
    const { arrival, replaceState } = arriveAt(hash);
    expect(arrival).toEqual({ kind: 'plain' });
    expect(replaceState).not.toHaveBeenCalled();
  });
});
