import {
  ActionIcon,
  Button,
  Checkbox,
  Fieldset,
  Group,
  NumberInput,
  PasswordInput,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { asApiError } from '../../api/error';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';
import { ROLE_NAMES, ROLES } from '../users/roles';
import { ALGORITHMS, AUTH_METHODS, type Values } from './settings';

const ROLE_CHOICES = ROLES.map((value) => ({ value, label: ROLE_NAMES[value] ?? value }));
/** Which answer of the server belongs to which field. */
const CODES: Record<string, keyof Values> = { name_taken: 'name', issuer_taken: 'issuer' };

interface Props {
  initial: Values;
  hasSecret: boolean;
  busy: boolean;
  error: unknown;
  verb: string;
  onSubmit: (values: Values) => void;
}

export function ProviderForm({ initial, hasSecret, busy, error, verb, onSubmit }: Props) {
  const form = useForm<Values>({ initialValues: initial });
  const late = useLate(busy);
  const refused = error ? asApiError(error) : null;
  const at = refused ? (refused.field ?? CODES[refused.code] ?? null) : null;
  const field = (name: keyof Values) => ({
    ...form.getInputProps(name),
    key: form.key(name),
    error: at === name ? refused?.message : null,
  });
  const shownAtField = at !== null && at in initial;
  const { values } = form;
  return (
    <form
      onSubmit={form.onSubmit((submitted) => {
        if (!busy) onSubmit(submitted);
      })}
    >
      <Stack gap="md">
        <Fieldset legend="The provider">
          <Stack gap="md">
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <TextInput
                label="Name"
                maxLength={64}
                description="What the button on the sign-in page says."
                required
                withAsterisk={false}
                {...field('name')}
              />
              <TextInput
                label="Issuer"
                description="Its address, exactly as it names itself."
                placeholder="https://login.example.com/realms/main"
                required
                withAsterisk={false}
                type="url"
                spellCheck={false}
                {...field('issuer')}
              />
              <TextInput
                label="Client id"
                description="As it was registered there."
                required
                withAsterisk={false}
                spellCheck={false}
                autoComplete="off"
                {...field('client_id')}
              />
              <Select
                label="How this server proves itself"
                description="To the token endpoint."
                data={AUTH_METHODS}
                allowDeselect={false}
                {...field('token_endpoint_auth_method')}
              />
            </SimpleGrid>
            {values.token_endpoint_auth_method !== 'none' && (
              <Group align="flex-end">
                <PasswordInput
                  label="Client secret"
                  description={
                    hasSecret
                      ? 'One is stored, encrypted. Type another to replace it.'
                      : 'Stored encrypted, and never shown again.'
                  }
                  style={{ flex: '1 1 280px' }}
                  autoComplete="new-password"
                  disabled={values.remove_client_secret}
                  visibilityToggleButtonProps={{
                    'aria-label': 'Show the client secret',
                    tabIndex: 0,
                    'aria-hidden': false,
                  }}
                  {...field('client_secret')}
                />
                {hasSecret && (
                  <Checkbox
                    mb={8}
                    label="Remove the stored one"
                    {...form.getInputProps('remove_client_secret', { type: 'checkbox' })}
                  />
                )}
              </Group>
            )}
            <Switch
              label="People can sign in through it"
              description="Off: there is no button for it, and its sign-ins are refused."
              {...form.getInputProps('enabled', { type: 'checkbox' })}
            />
          </Stack>
        </Fieldset>
        <Fieldset legend="Accounts">
          <Stack gap="md">
            <Switch
              label="Make an account for whoever is new"
              description="Off: only people who have an account already can sign in."
              {...form.getInputProps('auto_provision', { type: 'checkbox' })}
            />
            <Switch
              label="Join accounts by verified mail address"
              description="Only for the domains below, never for administrators or accounts with a password here. Trust the provider with these addresses before you switch this on."
              {...form.getInputProps('link_verified_email', { type: 'checkbox' })}
            />
            {values.link_verified_email && (
              <TagsInput
                label="Domains"
                description="Those whose addresses this provider has verified. Enter adds one."
                placeholder="example.com"
                {...field('verified_domains')}
              />
            )}
          </Stack>
        </Fieldset>
        <Fieldset legend="Roles">
          <Stack gap="md">
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <TextInput label="Claim with the groups" spellCheck={false} {...field('groups_claim')} />
              <Select
                label="Role of everyone else"
                data={ROLE_CHOICES}
                allowDeselect={false}
                {...field('default_role')}
              />
            </SimpleGrid>
            <div>
              <Text size="sm" fw={500}>
                Groups and their roles
              </Text>
              <Text size="xs" c="dimmed">
                The highest priority among a person's groups decides, at every sign-in.
              </Text>
            </div>
            {values.role_mappings.map((mapping, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have nothing else to be known by.
              <Group key={index} gap="xs" wrap="nowrap" align="flex-start">
                <TextInput
                  aria-label={`Group ${index + 1}`}
                  placeholder="Group"
                  style={{ flex: 1 }}
                  required
                  {...form.getInputProps(`role_mappings.${index}.group`)}
                />
                <Select
                  aria-label={`Role of group ${index + 1}`}
                  w={140}
                  data={ROLE_CHOICES}
                  allowDeselect={false}
                  {...form.getInputProps(`role_mappings.${index}.role`)}
                />
                <NumberInput
                  aria-label={`Priority of group ${index + 1}`}
                  w={84}
                  allowDecimal={false}
                  {...form.getInputProps(`role_mappings.${index}.priority`)}
                />
                <ActionIcon
                  size={36}
                  aria-label={`Remove group ${mapping.group || index + 1}`}
                  onClick={() => form.removeListItem('role_mappings', index)}
                >
                  <IconTrash size={16} aria-hidden />
                </ActionIcon>
              </Group>
            ))}
            <Group>
              <Button
                variant="default"
                size="xs"
                leftSection={<IconPlus size={14} aria-hidden />}
                onClick={() =>
                  form.insertListItem('role_mappings', {
                    group: '',
                    role: 'operator',
                    priority: 10 * (values.role_mappings.length + 1),
                  })
                }
              >
                Add a group
              </Button>
            </Group>
          </Stack>
        </Fieldset>
        <Fieldset legend="Details of the protocol">
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TagsInput label="Scopes" description="What is asked for. Must include openid." {...field('scopes')} />
            <TagsInput
              label="Signature algorithms"
              description="Of identity tokens. Anything else is refused."
              data={ALGORITHMS}
              {...field('id_token_signing_algs')}
            />
          </SimpleGrid>
        </Fieldset>
        {!shownAtField && <Failure error={refused} />}
        <Group justify="flex-end">
          <Button type="submit" loading={late}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
