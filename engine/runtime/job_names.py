"""Names of the runtime's jobs, as the queue knows them."""

RUN_EFFECT = "runtime.run_effect"
MATCH_INBOX = "runtime.match_inbox"
THROW_MESSAGE = "runtime.throw_message"
WHOLE_FILE = "runtime.whole_file"
