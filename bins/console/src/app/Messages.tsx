import { Notifications } from '@mantine/notifications';

/** Short messages about what was done, in the corner. */
export default function Messages() {
  return <Notifications position="bottom-right" autoClose={5000} />;
}
