import { useMay } from '../session/session';
import { RoleGate } from './RoleGate';

export function Component() {
  return <RoleGate allowed={useMay().administer} who="administrators" />;
}
