/** What a new password lacks, as far as a browser can tell. The server decides; it also knows the common passwords. */

/** What the server asks for unless it was configured otherwise. */
export const RECOMMENDED_LENGTH = 15;
/** What no configuration of the server goes below. */
const FLOOR = 8;

/** Words that anyone guessing here would try; the server refuses them too. */
const CONTEXT_WORDS = ['stratora', 'admin', 'administrator', 'monitoring'];

export interface Requirement {
  id: 'length' | 'name' | 'repeats' | 'different';
  label: string;
  met: boolean;
}

export interface PasswordReview {
  requirements: Requirement[];
  /** 0 to 100. */
  score: number;
  /** Whether it is worth asking the server. */
  sendable: boolean;
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** Whether it is one piece of at most four characters over and over. */
function repeatsItself(text: string): boolean {
  const characters = [...text];
  for (let length = 1; length <= Math.min(4, Math.floor(characters.length / 2)); length++) {
    if (characters.length % length === 0 && characters.every((c, index) => c === characters[index % length]))
      return true;
  }
  return false;
}

export function reviewPassword(password: string, username: string, current: string): PasswordReview {
  const typed = password.normalize('NFC');
  const length = [...typed].length;
  const folded = fold(typed);
  const bare = folded.replace(/^\P{L}+|\P{L}+$/gu, '');
  const name = fold(username);
  const guessable = length > 0 && (folded === name || bare === name || CONTEXT_WORDS.includes(bare));
  const missing = RECOMMENDED_LENGTH - length;
  const requirements: Requirement[] = [
    {
      id: 'length',
      label: missing > 0 && length > 0 ? `15 characters or more: ${missing} to go` : '15 characters or more',
      met: missing <= 0,
    },
    { id: 'name', label: 'Not your username and no obvious word', met: length > 0 && !guessable },
    { id: 'repeats', label: 'Not one short piece repeated', met: length > 0 && !repeatsItself(folded) },
    { id: 'different', label: 'Not the password you have now', met: length > 0 && typed !== current.normalize('NFC') },
  ];
  const others = requirements.slice(1).every((requirement) => requirement.met);
  const ofLength = Math.min(1, length / RECOMMENDED_LENGTH);
  return {
    requirements,
    score: Math.round(ofLength * (others ? 100 : 60)),
    sendable: length >= FLOOR && others,
  };
}
