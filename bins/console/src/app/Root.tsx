import { Outlet, useNavigation } from 'react-router';
import { useLate } from '../ui/late';

/** Around every screen: a line at the top while the next one is on its way. */
export function Root() {
  const late = useLate(useNavigation().state !== 'idle');
  return (
    <>
      {late && <div className="on-its-way" role="progressbar" aria-label="Loading the page" aria-live="polite" />}
      <Outlet />
    </>
  );
}
