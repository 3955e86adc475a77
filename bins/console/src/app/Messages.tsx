import { Notifications, notifications } from '@mantine/notifications';
import { useEffect } from 'react';

/** Short messages about what was done, in the corner. They go with the session: whoever comes next did none of it. */
export default function Messages() {
  useEffect(() => notifications.clean, []);
  return <Notifications position="bottom-right" autoClose={5000} />;
}
