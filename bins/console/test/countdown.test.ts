import { describe, expect, it } from 'vitest';
import { ApiError, retryAfter } from '../src/api/error';
import { clockFace, secondsLeft, waitInWords } from '../src/lib/countdown';
import { waitOf } from '../src/screens/login/Throttle';

describe('the countdown', () => {
  it('says nought only when the time has come', () => {
    expect(secondsLeft(10_000, 0)).toBe(10);
    expect(secondsLeft(10_000, 9_001)).toBe(1);
    expect(secondsLeft(10_000, 9_999.5)).toBe(1);
    expect(secondsLeft(10_000, 10_000)).toBe(0);
    expect(secondsLeft(10_000, 99_000)).toBe(0);
  });

  it('reads like a clock', () => {
    expect([0, 7, 67, 300, 3723].map(clockFace)).toEqual(['0:00', '0:07', '1:07', '5:00', '1:02:03']);
  });

  it('reads like words for those who listen', () => {
    expect([1, 59, 60, 61].map(waitInWords)).toEqual(['1 second', '59 seconds', '1 minute', '2 minutes']);
  });

  it('starts only when the server says how long', () => {
    const error = (status: number, wait: number | null) =>
      new ApiError(status, 'rate_limited', 'Wait.', null, null, wait);
    expect(waitOf(error(429, 117))?.seconds).toBe(117);
    expect(waitOf(error(429, null))).toBeNull();
    expect(waitOf(error(503, 5))).toBeNull();
  });

  it('takes whole seconds only', () => {
    expect([retryAfter('117'), retryAfter(' 1 ')]).toEqual([117, 1]);
    expect(['', '-1', '1.5', 'Wed, 21 Oct 2026 07:28:00 GMT', '9999999', null].map(retryAfter)).toEqual(
      Array(6).fill(null),
    );
  });
});
