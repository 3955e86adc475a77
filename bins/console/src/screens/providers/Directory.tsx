import { Badge, Button, DataList, Group, Paper, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '../../api/client';
import { Dot } from '../../ui/Dot';
import { Fact } from '../../ui/Fact';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';
import { Page } from '../../ui/Page';
import { Steps } from '../../ui/Steps';
import { ROLE_NAMES } from '../users/roles';
import { ProviderNav } from './ProviderNav';

/** Tests the directory, which is set up in the server's configuration file. */
export function Component() {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const test = useMutation({
    mutationFn: () =>
      body(
        api.POST('/api/v1/identity-providers/ldap/test', {
          body: username.trim() ? { username: username.trim(), password } : {},
        }),
      ),
    // Used once: it does not stay in the page.
    onSettled: () => setPassword(''),
  });
  const late = useLate(test.isPending);
  return (
    <Page
      title="Identity providers"
      lead="LDAP or Active Directory. It is set up in the server's configuration file, and tested here."
      width="text"
    >
      <ProviderNav at="Directory" />
      <Stack gap="lg">
        <Paper>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (!test.isPending) test.mutate();
            }}
          >
            <Stack gap="md">
              <Text size="sm">
                Without a user, the connection is tested. With one, you also see the groups that were found and the role
                that they give.
              </Text>
              <Group align="flex-start" grow>
                <TextInput
                  label="User (optional)"
                  value={username}
                  onChange={(event) => setUsername(event.currentTarget.value)}
                  autoComplete="off"
                  spellCheck={false}
                />
                <PasswordInput
                  label="Their password"
                  value={password}
                  onChange={(event) => setPassword(event.currentTarget.value)}
                  required={username.trim() !== ''}
                  withAsterisk={false}
                  autoComplete="off"
                  visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0, 'aria-hidden': false }}
                />
              </Group>
              <Group>
                <Button type="submit" loading={late}>
                  Test now
                </Button>
              </Group>
            </Stack>
          </form>
        </Paper>
        <Failure error={test.error} />
        {test.data && (
          <Paper>
            <Stack gap="md">
              <div role="status">
                {test.data.ok ? (
                  <Dot tone="good">Everything is as it should be.</Dot>
                ) : (
                  <Dot tone="bad">Not yet: see the step that failed.</Dot>
                )}
              </div>
              <Steps
                label="Steps of the test"
                steps={test.data.steps.map(({ check, ok, advice }) => ({ name: check, passed: ok, note: advice }))}
              />
              {test.data.role && (
                <DataList withDivider labelWidth="100px">
                  <Fact label="Role">
                    {ROLE_NAMES[test.data.role] ?? test.data.role}
                    {test.data.role_mapped_by && (
                      <>
                        {' '}
                        by <bdi className="strong breaks">{test.data.role_mapped_by}</bdi>
                      </>
                    )}
                  </Fact>
                  <Fact label="Groups">
                    <Group gap={6}>
                      {(test.data.groups ?? []).map((group) => (
                        <Badge key={group} color="gray">
                          <bdi>{group}</bdi>
                        </Badge>
                      ))}
                      {(test.data.groups ?? []).length === 0 && 'None found'}
                    </Group>
                  </Fact>
                </DataList>
              )}
            </Stack>
          </Paper>
        )}
      </Stack>
    </Page>
  );
}
