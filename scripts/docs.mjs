// Builds the documentation, build/docs, of docstrings and of the guides in docs/. What is public and not
// documented fails it, and so does a link to nowhere.
import { run } from './run.mjs';

run('typedoc', ['--logLevel', 'Warn']);
const elsewhere = '^https?://(?!localhost)'; // links to others are not followed
run('linkinator', [
  ...['**/*.html', '--server-root', 'build/docs', '--check-fragments'],
  ...['--verbosity', 'error', '--skip', elsewhere],
]);
