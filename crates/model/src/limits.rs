//! Every limit has a name and stands here, its unit last.

/// Bytes in a server's, endpoint's or zone's name: one DNS label.
pub const LABEL_BYTES_MAX: usize = 63;
/// Bytes in any other name: tools, agents, users, groups.
pub const NAME_BYTES_MAX: usize = 256;
/// Bytes in the reason a person gives for a change.
pub const REASON_BYTES_MAX: usize = 2048;
/// Bytes in a resource URI.
pub const URI_BYTES_MAX: usize = 4096;

/// Bytes in one line of prose in a manifest: an owner, a purpose.
pub const MANIFEST_LINE_BYTES_MAX: usize = 1024;

/// Bytes in one argument, variable or path of a local server's command.
pub const COMMAND_TEXT_BYTES_MAX: usize = 4096;
/// Arguments of one local server's command.
pub const COMMAND_ARGUMENTS_MAX: usize = 128;
/// Environment variables that one local server is given.
pub const COMMAND_VARIABLES_MAX: usize = 128;
/// Bytes of instructions that an endpoint for several servers tells together.
pub const INSTRUCTIONS_BYTES_MAX: usize = 64 * 1024;
/// Servers behind one endpoint.
pub const ENDPOINT_SERVERS_MAX: usize = 64;
/// Beginnings of resource URIs that one server may serve at one endpoint.
pub const RESOURCE_PREFIXES_MAX: usize = 64;
/// Characters in a tool's name that every model takes, as far as is known; longer ones are told to people.
pub const TOOL_NAME_CHARS_TAKEN: usize = 64;
/// Tools, and prompts, that an endpoint chooses of one server by name.
pub const CHOSEN_NAMES_MAX: usize = 1_000;

/// Places told at which one server speaks of others.
pub const MENTIONS_MAX: usize = 100;
/// Bytes in a tool's name from which on its being a word of a text means something.
pub const MENTION_NAME_BYTES_MIN: usize = 4;

/// Bytes in one JSON-RPC message, either way. The unit of inspection.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes in one message from which on it takes turns with others of its size, beside those that are smaller.
pub const LARGE_MESSAGE_BYTES: usize = 64 * 1024;
/// Bytes of a message that is only read, which cost what one byte costs where policies look into it.
pub const READ_BYTES_PER_BYTE_SEEN: usize = 4;
/// Large messages at once of one agent and user, each from its being read until it is decided on; fewer where that would be
/// more than one for every two processors.
pub const LARGE_PER_CALLER_MAX: usize = 4;
/// Nesting of arrays and objects in one message.
pub const JSON_DEPTH_MAX: usize = 64;
/// Members in one JSON object.
pub const JSON_MEMBERS_MAX: usize = 10_000;
/// Bytes in one number's literal.
pub const JSON_NUMBER_BYTES_MAX: usize = 64;
/// Bytes in a request's id, when it is a string.
pub const REQUEST_ID_BYTES_MAX: usize = 256;
/// Bytes in a method's name.
pub const METHOD_BYTES_MAX: usize = 128;
/// Bytes in the id of a client's session, ours or a server's.
pub const SESSION_ID_BYTES_MAX: usize = 512;
/// Bytes in the id of an event of a stream that can be read on.
pub const EVENT_ID_BYTES_MAX: usize = 512;
/// Bytes in the id by which a server tells the end of a question that was shown as a page.
pub const ELICITATION_ID_BYTES_MAX: usize = 256;
/// Bytes in what a client says, at the beginning of its session, that it can be asked.
pub const CLIENT_CAPABILITIES_BYTES_MAX: usize = 16 * 1024;
/// Resources in one subscription.
pub const SUBSCRIPTION_URIS_MAX: usize = 1_000;
/// Tasks in one subscription.
pub const SUBSCRIPTION_TASKS_MAX: usize = 100;
/// Bytes in a server's id of a task.
pub const TASK_ID_BYTES_MAX: usize = 512;
/// Bytes of a call's arguments that are carried in the id by which its client knows the task it became.
pub const TASK_ARGUMENTS_BYTES_MAX: usize = 2 * 1024;
/// Bytes in that id. It has to fit into a header.
pub const TASK_HANDLE_BYTES_MAX: usize = 8 * 1024;
/// Questions in one answer that asks for more input.
pub const QUESTIONS_MAX: usize = 64;
/// Arguments of one tool that are mirrored in headers.
pub const PARAM_HEADERS_MAX: usize = 32;
/// Bytes in all headers of one request: the longest token, the longest id of a task, and as much again for the rest.
pub const HEADER_BYTES_MAX: usize = 24 * 1024;
/// Bytes of one request's head, with its first line and what stands between the headers.
pub const HEAD_BYTES_MAX: usize = HEADER_BYTES_MAX + 4 * 1024;
/// Headers in one request.
pub const HEADERS_MAX: usize = 100;
/// Bytes in a bearer token.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Bytes of one answer of an identity provider, or of whoever else is asked about identity.
pub const FETCHED_BYTES_MAX: usize = 512 * 1024;
/// Milliseconds for one such question, from the first byte out to the last byte in.
pub const FETCH_MILLISECONDS_MAX: u64 = 10_000;
/// Keys in one published key set.
pub const KEYS_PER_SET_MAX: usize = 64;
/// Seconds after which an issuer's keys are fetched again, where the issuer does not say.
pub const KEYS_REFRESH_SECONDS: u64 = 60 * 60;
/// The least that an issuer may say.
pub const KEYS_REFRESH_SECONDS_MIN: u64 = 5 * 60;
/// Seconds for which an issuer's keys are believed when they cannot be fetched again, unless settings say otherwise.
pub const KEYS_AGE_SECONDS: u64 = 24 * 60 * 60;
/// The most that settings may say.
pub const KEYS_AGE_SECONDS_MAX: u64 = 7 * 24 * 60 * 60;
/// Milliseconds between two fetches because of a key that nobody knows.
pub const KEYS_UNKNOWN_MILLISECONDS: u64 = 30_000;
/// Milliseconds after a failed fetch until the next one.
pub const KEYS_RETRY_MILLISECONDS: u64 = 5_000;

/// Issuers whose tokens are taken.
pub const ISSUERS_MAX: usize = 32;
/// Seconds by which an issuer's clock may differ from the gate's, unless settings say otherwise.
pub const SKEW_SECONDS: u64 = 30;
/// The most that settings may say.
pub const SKEW_SECONDS_MAX: u64 = 300;
/// Tokens that were verified and are remembered until they end.
pub const TOKENS_REMEMBERED_MAX: u64 = 100_000;
/// Seconds for which an introspection's answer counts.
pub const INTROSPECTED_SECONDS_MAX: u64 = 60;
/// Introspections under way at once.
pub const INTROSPECTIONS_MAX: usize = 64;
/// Scopes, and methods of a sign-in, that a token may name.
pub const SCOPES_MAX: usize = 128;
/// Agents through which one call may have come.
pub const ACTORS_MAX: usize = 4;
/// Bytes in one proof of possession.
pub const PROOF_BYTES_MAX: usize = 4 * 1024;
/// Seconds by which the time of a proof of possession may differ from the gate's.
pub const PROOF_SECONDS_MAX: u64 = 60;
/// Seconds for which a nonce of the gate's is good.
pub const NONCE_SECONDS_MAX: u64 = 300;
/// Proofs remembered, so that none is used twice, for each of two halves of their time.
pub const PROOFS_REMEMBERED_MAX: usize = 250_000;
/// Agents that are registered.
pub const AGENTS_MAX: usize = 10_000;
/// Endpoints that one agent may use.
pub const AGENT_ENDPOINTS_MAX: usize = 256;
/// OAuth clients that are one agent, and redirects of one client.
pub const AGENT_CLIENTS_MAX: usize = 32;

/// Sign-ins of which it is remembered how they began.
pub const SIGN_INS_REMEMBERED_MAX: u64 = 100_000;
/// Milliseconds without a message until that is forgotten.
pub const SIGN_IN_IDLE_MILLISECONDS_MAX: u64 = 12 * 60 * 60 * 1_000;
/// Bits of an IPv4 address that are its network, as far as changes of it go.
pub const NETWORK_BITS_V4: u8 = 24;
/// The same of an IPv6 address.
pub const NETWORK_BITS_V6: u8 = 48;

/// Milliseconds until a TLS connection must be agreed on.
pub const HANDSHAKE_MILLISECONDS_MAX: u64 = 10_000;
/// Bytes in a file of certificates, or in a private key.
pub const CERTIFICATES_BYTES_MAX: usize = 1024 * 1024;
/// Milliseconds between two looks at the files of certificates and keys.
pub const CERTIFICATES_LOOK_MILLISECONDS: u64 = 2_000;
/// Milliseconds between two looks at whether the certificate of an open connection is still good.
pub const CERTIFICATE_TRUST_MILLISECONDS: u64 = 5_000;
/// Bytes in a workload's identity (SPIFFE-ID §2.3).
pub const SPIFFE_ID_BYTES_MAX: usize = 2048;

/// Milliseconds a client may take to send its headers, and then its body.
pub const REQUEST_MILLISECONDS_MAX: u64 = 15_000;
/// Milliseconds to connect to a server.
pub const CONNECT_MILLISECONDS_MAX: u64 = 5_000;
/// Addresses one host name may have.
pub const ADDRESSES_PER_HOST_MAX: usize = 64;
/// Bytes in a host name (RFC 1035).
pub const HOST_BYTES_MAX: usize = 253;
/// Connections open at once to one server.
pub const LANE_CONNECTIONS_MAX: usize = 4_096;
/// Idle connections kept for the next request to one server.
pub const POOL_IDLE_CONNECTIONS_MAX: usize = 256;
/// Milliseconds an idle connection is kept.
pub const POOL_IDLE_MILLISECONDS_MAX: u64 = 30_000;
/// Bytes read ahead on one connection to a server; the head of an answer must fit.
pub const ANSWER_BUFFER_BYTES_MAX: usize = 128 * 1024;
/// Milliseconds until a server's answer begins, and between two events of a stream that is a call's answer.
pub const ANSWER_MILLISECONDS_MAX: u64 = 60_000;
/// Milliseconds a call waits in all, once it is its turn, for a process to be started, a session to be opened and its answer to
/// begin.
pub const PATIENCE_MILLISECONDS_MAX: u64 = 120_000;
/// Milliseconds to open a session with a server, from the first word to the last.
pub const OPENING_MILLISECONDS_MAX: u64 = 60_000;
/// Milliseconds a subscription may be silent before the gate closes it.
pub const SUBSCRIPTION_IDLE_MILLISECONDS_MAX: u64 = 15 * 60_000;
/// Messages in one streamed answer to a call.
pub const STREAM_MESSAGES_MAX: usize = 10_000;
/// Connections open at once on the agents' listener.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Milliseconds that open calls may take to end once the gate was asked to stop.
pub const DRAIN_MILLISECONDS_MAX: u64 = 10_000;
/// Streams open at once for one agent and user.
pub const STREAMS_PER_SESSION_MAX: usize = 64;
/// Sessions remembered at once.
pub const SESSIONS_MAX: usize = 100_000;
/// Sessions of clients of 2025-11-25 at once.
pub const LEGACY_SESSIONS_MAX: usize = 20_000;
/// The same for one agent and user; beginning one more ends the one that was longest unused.
pub const LEGACY_SESSIONS_PER_CALLER_MAX: usize = 256;
/// Milliseconds after which a client's unused session is ended.
pub const LEGACY_IDLE_MILLISECONDS_MAX: u64 = 60 * 60_000;
/// Milliseconds after which a client's session is ended, used or not.
pub const LEGACY_AGE_MILLISECONDS_MAX: u64 = 24 * 60 * 60_000;
/// Calls under way at once in one client's session.
pub const CALLS_PER_SESSION_MAX: usize = 256;
/// Bytes of released messages kept for a client that lost its connection: for one stream, and for those of one session
/// that have ended.
pub const REPLAY_BYTES_MAX: usize = 1024 * 1024;
/// The same for all streams of all sessions.
pub const REPLAYS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Streams of one client's session that can be read on.
pub const REPLAYS_PER_SESSION_MAX: usize = 64;
/// Milliseconds a client is asked to wait before it reads on.
pub const RETRY_MILLISECONDS: u64 = 1_000;
/// Bytes in what a client says, at the beginning of its session, that it is.
pub const CLIENT_INFO_BYTES_MAX: usize = 4 * 1024;
/// Sessions that the gate keeps with servers for callers that keep none.
pub const BRIDGE_SESSIONS_MAX: usize = 20_000;
/// The same for one agent and user; one more ends the one that was longest unused.
pub const BRIDGE_SESSIONS_PER_CALLER_MAX: usize = 64;
/// Milliseconds after which such a session is ended when no call needs it.
pub const BRIDGE_IDLE_MILLISECONDS_MAX: u64 = 5 * 60_000;
/// Calls that wait at their servers until their clients, which keep no session, have answered a question.
pub const PARKED_CALLS_MAX: usize = 5_000;
/// The same for one agent and user.
pub const PARKED_CALLS_PER_CALLER_MAX: usize = 16;
/// Milliseconds that a call waits for its client's answer to a question.
pub const PARKED_MILLISECONDS_MAX: u64 = 10 * 60_000;
/// Times that one request of a client with a session is made again with answers, at a server that keeps none.
pub const INPUT_ROUNDS_MAX: u32 = 16;
/// Milliseconds for a client's session with a server to be closed.
pub const CLOSE_MILLISECONDS_MAX: u64 = 5_000;

/// Definitions (tools, prompts, templates) of one server.
pub const DEFINITIONS_PER_SERVER_MAX: usize = 10_000;
/// Bytes of one canonical definition.
pub const DEFINITION_BYTES_MAX: usize = 256 * 1024;
/// Bytes of all definitions of one server together, canonical.
pub const DEFINITIONS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Milliseconds to read everything a server says of itself.
pub const DISCOVERY_MILLISECONDS_MAX: u64 = 120_000;
/// Pages read from one listing of a server.
pub const LISTING_PAGES_MAX: usize = 1_000;
/// Characters of an excluded definition's name that are kept.
pub const EXCLUDED_NAME_CHARS_MAX: usize = 200;
/// Bytes of one definition's texts whose words are judged.
pub const JUDGED_BYTES_MAX: usize = 64 * 1024;
/// Milliseconds for which what definitions are judged with is kept when nobody judges: tens of megabytes, which are made again.
pub const JUDGING_KEPT_MILLISECONDS: u64 = 2_000;
/// Changed definitions of one server that are taken apart; with more, all of them are withheld.
pub const DRIFT_GRADED_MAX: usize = 500;
/// Changes whose grades are kept.
pub const DRIFT_GRADES_KEPT_MAX: usize = 4_096;
/// Known words that a changed definition may gain without a person.
pub const DRIFT_WORDS_MAX: usize = 24;
/// Points from which on a rule that describes orders makes a change one.
pub const DRIFT_POINTS_MIN: u32 = 15;
/// Parts of one change that are told.
pub const ALTERATIONS_MAX: usize = 100;
/// Words of one part of a change that are told.
pub const ALTERATION_WORDS_MAX: usize = 12;
/// Days that an approval may be good for by a server's manifest.
pub const APPROVAL_DAYS_MAX: u32 = 3_650;
/// Classes of data that a server's manifest names.
pub const DATA_CLASSES_MAX: usize = 16;
/// Tools of which a server's manifest says something.
pub const MANIFEST_TOOLS_MAX: usize = 1_000;
/// Things that became known of one server after its approval; the oldest goes when another comes.
pub const WARNINGS_PER_SERVER_MAX: usize = 100;
/// Advisories that are told by name in a line.
pub const ADVISORIES_TOLD: usize = 3;
/// Advisories that one receipt tells whole; of more it tells how many there are.
pub const ADVISORIES_IN_RECEIPT: usize = 50;
/// Advisories that one line of what became known of a server holds.
pub const ADVISORIES_KNOWN_MAX: usize = 2_000;
/// Keys that one host shows of who publishes in its name.
pub const PUBLISHER_KEYS_MAX: usize = 32;
/// Name servers that are asked, one after the other.
pub const NAME_SERVERS_MAX: usize = 3;
/// Milliseconds that each of them has to answer.
pub const NAME_SERVER_MILLISECONDS_MAX: u64 = 1_500;
/// Milliseconds in which a host has to show them.
pub const PUBLISHER_MILLISECONDS_MAX: u64 = 5_000;
/// Bytes of a name in a registry.
pub const PUBLISHED_NAME_BYTES_MAX: usize = 200;
/// Servers whose packages are held in memory at once while all are vetted.
pub const VETTED_AT_ONCE: usize = 16;
/// Hours between two looks at what servers are made of, if settings do not say.
pub const VETTING_HOURS: u64 = 24;
/// Days from which on advisories are old, if settings do not say.
pub const ADVISORIES_STALE_DAYS: u32 = 14;
/// Milliseconds between two looks whether there are other advisories.
pub const ADVISORIES_LOOK_MILLISECONDS: u64 = 5_000;
/// Milliseconds before an approval is over in which people are reminded: two weeks.
pub const EXPIRY_REMINDER_MILLISECONDS: u64 = 14 * 24 * 60 * 60 * 1_000;
/// Milliseconds between two reminders in the log.
pub const EXPIRY_REMINDED_MILLISECONDS: u64 = 24 * 60 * 60 * 1_000;
/// Milliseconds after which the gate looks again whether an approval is over, whatever its timers say.
pub const EXPIRY_LOOK_MILLISECONDS: u64 = 60_000;
/// Entries of the private registry in one answer, if it is not said how many.
pub const SHELF_PAGE: usize = 30;
/// Entries of the private registry in one answer at most.
pub const SHELF_PAGE_MAX: usize = 100;
/// Bytes of what is searched for in the private registry.
pub const SHELF_SEARCH_BYTES_MAX: usize = 200;
/// Bytes of one comment on a server.
pub const COMMENT_BYTES_MAX: usize = 4_096;
/// Comments on one server.
pub const COMMENTS_PER_SERVER_MAX: usize = 1_000;
/// Subschemas in one input schema.
pub const SUBSCHEMAS_MAX: usize = 2_000;
/// Nesting of one input schema.
pub const SCHEMA_DEPTH_MAX: usize = 32;
/// Subschemas of an input schema that are checked against one value by way of each other.
pub const SCHEMA_PATH_MAX: usize = 16;
/// Places that an input schema tells apart.
pub const SCHEMA_PLACES_MAX: usize = 8_000;
/// How often one part of an input schema may be checked against one value.
pub const SCHEMA_VISITS_MAX: u64 = 64;
/// Steps taken to find that out.
pub const SCHEMA_STEPS_MAX: usize = 1_000_000;
/// Regular expressions in one input schema.
pub const SCHEMA_PATTERNS_MAX: usize = 100;
/// Times that a pattern with look-around may be tried anew within one text, before the text counts as not matching.
pub const SCHEMA_BACKTRACKS_MAX: usize = 2_000;
/// Bytes of one compiled regular expression of an input schema.
pub const SCHEMA_PATTERN_BYTES_MAX: usize = 1024 * 1024;
/// Violations told of one call's arguments.
pub const VIOLATIONS_MAX: usize = 8;
/// Bytes of arguments, roughly, beyond which it is not told what does not fit.
pub const VIOLATION_ARGUMENTS_BYTES_MAX: usize = 32 * 1024;
/// Bytes in one violation's text or place.
pub const VIOLATION_BYTES_MAX: usize = 256;

/// Halts in force at once; halting everything is always possible.
pub const HALTS_MAX: usize = 10_000;
/// Bytes of an outbox row's detail; a longer one is summarised, so that its receipt fits in one record.
pub const OUTBOX_DETAIL_BYTES_MAX: usize = 32 * 1024;
/// Bytes the embedded database may grow to.
pub const STORE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// Milliseconds a write waits for another process that writes to the same database file.
pub const STORE_BUSY_MILLISECONDS_MAX: u64 = 5_000;
/// Connections that read the embedded database at once.
pub const STORE_READERS_MAX: u32 = 4;

/// Bytes of one journal record, as a Merkle leaf (C2SP tlog-tiles holds 16 bits of length).
pub const RECORD_BYTES_MAX: usize = 65_535;
/// Records waiting for one flush of the journal.
pub const RECORDS_PENDING_MAX: usize = 16_384;

/// Milliseconds a client may keep a listing: how long it takes a change of policy to be seen in listings.
pub const LISTING_TTL_MILLISECONDS: u64 = 30_000;
/// Seconds between two checks of a server's definitions against its pins, by default.
pub const PIN_CHECK_SECONDS: u64 = 60;

/// Bytes of records waiting for one flush of the journal.
pub const JOURNAL_PENDING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes after which the journal begins a new segment file.
pub const JOURNAL_SEGMENT_BYTES: u64 = 128 * 1024 * 1024;
/// Bytes of zeros that the journal writes ahead of a segment's records at a time. More is written less often, and the
/// flush that has to write it takes longer.
pub const JOURNAL_AHEAD_BYTES: u64 = 1024 * 1024;
/// Milliseconds between two signed checkpoints of a journal that grows, and between two tries to write a full disk.
pub const CHECKPOINT_MILLISECONDS: u64 = 1_000;
/// Milliseconds between two checkpoints that are kept for good.
pub const CHECKPOINT_KEPT_MILLISECONDS: u64 = 10 * 60_000;
/// Records one search of the journal reads at most.
pub const SEARCH_RECORDS_MAX: usize = 200_000;
/// Problems a verification tells one by one; the rest are counted.
pub const PROBLEMS_MAX: usize = 100;
/// Pairs of source and reason for which unauthenticated arrivals are counted apart.
pub const STRANGERS_MAX: usize = 4_096;
/// Records about unauthenticated arrivals in one second.
pub const STRANGERS_PER_SECOND: usize = 16;

/// Bytes in one file of policies.
pub const POLICY_FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes in one policy.
pub const POLICY_BYTES_MAX: usize = 32 * 1024;
/// Brackets within brackets in one policy, and steps into one value: `a.b.c` takes two.
pub const POLICY_DEPTH_MAX: usize = 32;
/// Times one policy may say `if`.
pub const POLICY_CHOICES_MAX: usize = 64;
/// Bytes of stack on which policies are compiled: several times what the two limits above can need.
pub const POLICY_STACK_BYTES: usize = 64 * 1024 * 1024;
/// Policies in one revision.
pub const POLICIES_MAX: usize = 50_000;
/// Bytes of remembered decisions, estimated.
pub const STANDINGS_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes a person's token for the admin side has at least: as many as 128 random bits in hexadecimal.
pub const ADMIN_TOKEN_BYTES_MIN: usize = 32;
/// Bytes in the body of one request to the admin side: a folder of manifests and policies.
pub const ADMIN_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Milliseconds a client of the admin side waits for an answer; servers may have to be looked at first.
pub const ADMIN_ANSWER_MILLISECONDS_MAX: u64 = 120_000;
/// Bytes in one answer of the admin side.
pub const ADMIN_ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Connections open at once on the admin listener.
pub const ADMIN_CONNECTIONS_MAX: usize = 256;
/// Milliseconds until the next try after a connection could not be accepted.
pub const ACCEPT_PAUSE_MILLISECONDS: u64 = 50;
/// Files in one folder that is applied.
pub const MANIFESTS_MAX: usize = 50_000;
/// Milliseconds an answer waits for its change to be in effect on the data path, before it says that it is not yet.
pub const IN_EFFECT_MILLISECONDS_MAX: u64 = 10_000;
/// Servers looked at at once after one `apply`.
pub const VETTINGS_AT_ONCE_MAX: usize = 8;
/// Receipts in one answer to a search.
pub const SEARCH_RESULTS_MAX: usize = 1_000;
/// Lines shown around each change when two texts are compared.
pub const DIFF_CONTEXT_LINES: usize = 3;
/// Milliseconds after which a comparison of two texts becomes coarser.
pub const DIFF_MILLISECONDS_MAX: u64 = 250;
/// Microseconds for which the journal gathers records between two flushes, while many callers wait for each.
pub const JOURNAL_PAUSE_MICROSECONDS: u64 = 500;
/// The same while so many wait that processors are what they wait for.
pub const JOURNAL_PAUSE_MICROSECONDS_MAX: u64 = 2_000;

/// Bytes of memory a local server may use, unless its manifest says otherwise.
pub const LOCAL_MEMORY_BYTES: u64 = 1024 * 1024 * 1024;
/// The least a manifest may say.
pub const LOCAL_MEMORY_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// The most a manifest may say.
pub const LOCAL_MEMORY_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Processes and threads a local server may have at once, unless its manifest says otherwise.
pub const LOCAL_PROCESSES: u64 = 64;
/// The most a manifest may say.
pub const LOCAL_PROCESSES_MAX: u64 = 4_096;
/// Processes and threads above that limit at which the kernel makes no more, where it can be told to: room enough to see that
/// the limit is exceeded.
pub const LOCAL_PROCESSES_MARGIN: u64 = 64;
/// Files each process of a local server may have open at once, unless its manifest says otherwise.
pub const LOCAL_OPEN_FILES: u64 = 256;
/// The least a manifest may say: fewer, and no runtime starts.
pub const LOCAL_OPEN_FILES_MIN: u64 = 16;
/// The most a manifest may say.
pub const LOCAL_OPEN_FILES_MAX: u64 = 65_536;
/// Bytes in any file a local server writes, unless its manifest says otherwise.
pub const LOCAL_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// The most a manifest may say.
pub const LOCAL_FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024 * 1024;

/// Messages that `connect` carries at once.
pub const CONNECT_MESSAGES_MAX: usize = 128;
/// Bytes of one message that `connect` carries to its client; a listing of everything that an endpoint offers must fit.
pub const CONNECT_ANSWER_BYTES_MAX: usize = DEFINITIONS_BYTES_MAX + MESSAGE_BYTES_MAX;
/// Milliseconds `connect` waits for the next byte of an answer; longer than the gate lets a subscription be silent.
pub const CONNECT_SILENCE_MILLISECONDS_MAX: u64 = SUBSCRIPTION_IDLE_MILLISECONDS_MAX + 60_000;
/// Milliseconds what is under way is waited for, once the client of `connect` has closed its output.
pub const CONNECT_PARTING_MILLISECONDS_MAX: u64 = 2_000;
/// Times in a row that a stream may be read on without anything new.
pub const CONNECT_RESUMPTIONS_MAX: u32 = 20;
/// Milliseconds until a stream is read on, where the gate says nothing else.
pub const CONNECT_RETRY_MILLISECONDS: u64 = 1_000;
/// Milliseconds until a stream is read on, at most.
pub const CONNECT_RETRY_MILLISECONDS_MAX: u64 = 30_000;

/// Bytes of a local server's arguments and environment together.
pub const LOCAL_PLAN_BYTES_MAX: usize = 1024 * 1024;
/// Milliseconds until a local server's program runs, or is given up.
pub const LOCAL_START_MILLISECONDS_MAX: u64 = 10_000;
/// Milliseconds between two looks at how much a local server uses.
pub const LOCAL_LOOK_MILLISECONDS: u64 = 200;
/// Milliseconds a local server that was asked to end may take to do so.
pub const LOCAL_GRACE_MILLISECONDS: u64 = 2_000;
/// Milliseconds within which everything a local server started is gone, once it is killed.
pub const LOCAL_KILL_MILLISECONDS_MAX: u64 = 5_000;
/// Bytes that are kept of what a local server wrote last to its standard error.
pub const LOCAL_STDERR_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a local server's standard error that are read in one second; one that writes faster waits.
pub const LOCAL_STDERR_BYTES_PER_SECOND: usize = 128 * 1024 * 1024;

/// Times in a row that a server's stream is read on without a message.
pub const STREAM_RESUMPTIONS_MAX: u32 = 20;
/// Milliseconds until a server's stream is read on, where the server says nothing else.
pub const STREAM_RETRY_MILLISECONDS: u64 = 1_000;
/// Milliseconds until a server's stream is read on, at most.
pub const STREAM_RETRY_MILLISECONDS_MAX: u64 = 30_000;
/// Milliseconds a server of HTTP+SSE may take to say where it wants to be posted to.
pub const EVENTS_ENDPOINT_MILLISECONDS_MAX: u64 = 10_000;
/// Messages on their way at once to one server of HTTP+SSE in one session, and calls that it has not answered.
pub const EVENTS_POSTS_MAX: usize = 256;
/// Events of a session over HTTP+SSE that are no messages, until it is ended.
pub const EVENTS_NOISE_MAX: u64 = 100;
/// Messages in a row of a session over HTTP+SSE that are for nobody, until it is ended.
pub const EVENTS_STRAYS_MAX: u64 = 10_000;
/// Messages in one second that are taken of a server on a line that may go on for ever; one that says more waits.
pub const HEARD_PER_SECOND_MAX: u64 = 10_000;
/// Messages of a server of HTTP+SSE about no call that wait until somebody listens.
pub const EVENTS_UNHEARD_MAX: usize = 16;
/// Milliseconds a server may take to hear that a session is over.
pub const PARTING_MILLISECONDS_MAX: u64 = 5_000;
/// Milliseconds from the start of a local server until its definitions are read and compared.
pub const LOCAL_READY_MILLISECONDS_MAX: u64 = 90_000;
/// Milliseconds a local server has to show whether it speaks a revision, before another one is tried.
pub const LOCAL_PROBE_MILLISECONDS_MAX: u64 = 10_000;
/// Milliseconds a local server may take to read one message.
pub const LOCAL_WRITE_MILLISECONDS_MAX: u64 = 10_000;
/// Milliseconds between the end of a local server's output and its own end.
pub const LOCAL_EXIT_MILLISECONDS_MAX: u64 = 500;
/// Requests under way at once with one local server.
pub const LOCAL_REQUESTS_MAX: usize = 256;
/// Bytes that wait until a local server reads them.
pub const LOCAL_QUEUE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Messages of a local server that wait until their caller takes them.
pub const LOCAL_BACKLOG_MESSAGES_MAX: usize = 1_000;
/// Bytes of a local server's messages that wait until their caller takes them.
pub const LOCAL_BACKLOG_BYTES_MAX: usize = 2 * MESSAGE_BYTES_MAX;
/// Lines of a local server that are no messages, until it is ended.
pub const LOCAL_NOISE_LINES_MAX: u64 = 100;
/// Messages in a row of a local server that are for nobody, until it is ended.
pub const LOCAL_STRAYS_MAX: u64 = 10_000;
/// Milliseconds until a local server that ended is started again; doubled each time that it does not stay.
pub const LOCAL_REST_MILLISECONDS: u64 = 250;
/// Milliseconds until a local server that ended is started again, at most.
pub const LOCAL_REST_MILLISECONDS_MAX: u64 = 60_000;
/// Milliseconds after which a local server counts as having stayed.
pub const LOCAL_STAYED_MILLISECONDS: u64 = 120_000;
/// Changes of a local server that wait until they are heard.
pub const LOCAL_CHANGES_MAX: usize = 64;

/// Calls under way at once with one server, unless its manifest says otherwise.
pub const SERVER_CALLS: usize = 128;
/// The most a manifest may say.
pub const SERVER_CALLS_MAX: usize = 2_048;
/// Calls that wait for their turn at one server.
pub const SERVER_WAITING_MAX: usize = 1_024;
/// The same for one agent and user.
pub const SERVER_WAITING_PER_CALLER_MAX: usize = 256;
/// Milliseconds a call waits for its turn at a server.
pub const TURN_MILLISECONDS_MAX: u64 = 10_000;
/// Calls under way at once for one agent and user, at whatever servers, those that wait for their turn among them.
pub const CALLS_PER_CALLER_MAX: usize = 1_024;
/// Failures in a row to reach a server, or to have its answer in time, after which it is left alone for a while.
pub const SERVER_FAILURES_MAX: u32 = 5;
/// Milliseconds until a server that failed is tried again; doubled each time that it fails then.
pub const SERVER_REST_MILLISECONDS: u64 = 5_000;
/// Milliseconds until a server that failed is tried again, at most.
pub const SERVER_REST_MILLISECONDS_MAX: u64 = 60_000;

/// Messages in one batch (2025-03-26).
pub const BATCH_MESSAGES_MAX: usize = 64;
/// Messages of one client of 2024-11-05 that are under way at once.
pub const LINE_CALLS_MAX: usize = 64;
/// Messages that wait until a client of 2024-11-05 reads them.
pub const LINE_MESSAGES_MAX: usize = 64;
/// Bytes of messages that wait until a client of 2024-11-05 reads them.
pub const LINE_BYTES_MAX: usize = 2 * MESSAGE_BYTES_MAX;
/// Milliseconds for which a client of 2024-11-05 may leave messages unread, before its stream is ended.
pub const LINE_STALL_MILLISECONDS_MAX: u64 = 30_000;

/// Definitions on one page of a listing of pinned ones.
pub const LISTING_PAGE_DEFINITIONS_MAX: usize = 1_000;
/// Bytes of definitions on one page, unless one alone is larger.
pub const LISTING_PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of what callers see of the endpoints' lists, remembered, estimated.
pub const VIEWS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Tools that an endpoint lists beside those by which its tools are looked for.
pub const LISTED_TOOLS_MAX: usize = 100;
/// Bytes in what a tool is looked for by.
pub const QUERY_BYTES_MAX: usize = 1_024;
/// Different words of it that count.
pub const QUERY_WORDS_MAX: usize = 16;
/// Different words of one tool by which it is found.
pub const INDEXED_WORDS_MAX: usize = 256;
/// Tools that are told at once when they are looked for.
pub const FOUND_TOOLS_MAX: usize = 50;
/// The same, where nobody says how many.
pub const FOUND_TOOLS: usize = 10;
/// Characters of a found tool's description that are told; `describe_tool` tells all of it.
pub const FOUND_DESCRIPTION_CHARS: usize = 240;

/// Data keys that are remembered as a key service opened them.
pub const DATA_KEYS_HELD_MAX: usize = 100_000;
/// Bytes of one secret that is kept sealed.
pub const SEALED_BYTES_MAX: usize = 64 * 1024;

/// People on the way to sign in at once, and codes that were not redeemed yet.
pub const SIGN_INS_MAX: usize = 20_000;
/// Milliseconds between leaving for the identity provider and coming back.
pub const SIGN_IN_MILLISECONDS_MAX: u64 = 10 * 60_000;
/// Milliseconds an authorization code is good.
pub const CODE_MILLISECONDS_MAX: u64 = 60_000;
/// Milliseconds an access token of the gate is good.
pub const ACCESS_TOKEN_MILLISECONDS_MAX: u64 = 10 * 60_000;
/// Milliseconds a family of tokens lives, however often it is renewed.
pub const FAMILY_MILLISECONDS_MAX: u64 = 30 * 24 * 60 * 60_000;
/// The same where the identity provider gave nothing by which the person can be asked after again.
pub const FAMILY_UNCHECKED_MILLISECONDS_MAX: u64 = 8 * 60 * 60_000;
/// Families of tokens at once.
pub const FAMILIES_MAX: usize = 500_000;
/// The same for one person and client; beginning one more ends the oldest.
pub const FAMILIES_PER_CLIENT_MAX: usize = 50;
/// Devices that wait for a person at once.
pub const DEVICES_MAX: usize = 10_000;
/// Milliseconds a device waits for a person.
pub const DEVICE_MILLISECONDS_MAX: u64 = 10 * 60_000;
/// Milliseconds between two questions of a device (RFC 8628 §3.2).
pub const DEVICE_INTERVAL_MILLISECONDS: u64 = 5_000;
/// Assertions that were seen and whose time is not over yet.
pub const SPENT_ASSERTIONS_MAX: usize = 1_000_000;
/// Milliseconds an assertion may be good, whatever it says.
pub const ASSERTION_MILLISECONDS_MAX: u64 = 5 * 60_000;
/// Clients that registered by themselves.
pub const REGISTERED_CLIENTS_MAX: usize = 1_000;
/// Redirect URIs of one client.
pub const CLIENT_REDIRECTS_MAX: usize = 32;
/// Bytes in a client's metadata document.
pub const CLIENT_DOCUMENT_BYTES_MAX: usize = 16 * 1024;
/// Milliseconds a client's metadata document is believed before it is fetched again.
pub const CLIENT_DOCUMENT_MILLISECONDS_MAX: u64 = 15 * 60_000;
/// Clients' metadata documents that are remembered.
pub const CLIENT_DOCUMENTS_MAX: usize = 1_000;
/// Bytes in the body of one visit to a page beside the path.
pub const VISIT_BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes in the path and query of one visit.
pub const VISIT_TARGET_BYTES_MAX: usize = 16 * 1024;
/// Milliseconds a visit may take, whatever it waits for: an identity provider is asked several things in one.
pub const VISIT_MILLISECONDS_MAX: u64 = 60_000;
/// Visits at once.
pub const VISITS_MAX: usize = 1_000;
/// Visits at once from one address.
pub const VISITS_PER_SOURCE_MAX: usize = 200;
/// Bytes in one parameter of a request to the façade.
pub const FACADE_PARAMETER_BYTES_MAX: usize = 8 * 1024;
/// Milliseconds an identity provider's metadata are believed before they are fetched again.
pub const PROVIDER_METADATA_MILLISECONDS_MAX: u64 = 60 * 60_000;
/// Groups of one person.
pub const GROUPS_MAX: usize = 512;
/// Requests to the façade that one address may make in a minute.
pub const FACADE_REQUESTS_PER_MINUTE: u32 = 600;
/// Addresses whose requests to the façade are counted apart.
pub const FACADE_SOURCES_MAX: usize = 10_000;
/// Milliseconds after which the gate signs with another key.
pub const SIGNING_KEY_MILLISECONDS_MAX: u64 = 30 * 24 * 60 * 60_000;
/// Milliseconds that a key of the gate's is published before it signs, for whoever keeps what is published.
pub const SIGNING_KEY_AHEAD_MILLISECONDS: u64 = 24 * 60 * 60_000;
/// Milliseconds that a key of the gate's is published after it signed.
pub const SIGNING_KEY_AFTER_MILLISECONDS: u64 = 24 * 60 * 60_000;
/// Bytes of a file of the gate's own keys.
pub const SIGNING_KEYS_BYTES_MAX: usize = 64 * 1024;
/// Bytes of what a server says of the credential that it wants.
pub const CHALLENGE_BYTES_MAX: usize = 4 * 1024;
/// Entries of a list in an authorization server's metadata, and scopes that are asked for at once.
pub const METADATA_LIST_MAX: usize = 100;
/// Credentials of servers that are held in memory at once.
pub const CREDENTIALS_HELD_MAX: usize = 100_000;
/// Credentials of servers that are kept.
pub const CREDENTIALS_KEPT_MAX: usize = 1_000_000;
/// Milliseconds that a call waits for its server's credential.
pub const CREDENTIAL_MILLISECONDS_MAX: u64 = 30_000;
/// Milliseconds before its end at which a server's token is renewed, at most; a fifth of its time, if that is less.
pub const CREDENTIAL_EARLY_MILLISECONDS_MAX: u64 = 60_000;
/// Milliseconds that a token for a person who did not agree to it in a browser is held, whatever its time: then the authorization
/// server says once more whether they may have one.
pub const EXCHANGED_TOKEN_MILLISECONDS_MAX: u64 = 10 * 60_000;
/// Scopes of one server of which it is remembered when they were given and used.
pub const SCOPES_KNOWN_MAX: usize = 500;
/// Tools and other things of one server of which it is remembered which scopes it asked for.
pub const SCOPE_NEEDS_MAX: usize = 1_000;
/// Days after which a key that somebody keeps may be due to be another one, at most.
pub const KEY_DAYS_MAX: u32 = 3_650;
/// Milliseconds until the renewal of a token that is still good is tried again.
pub const CREDENTIAL_RETRY_MILLISECONDS: u64 = 5_000;
/// People who are on the way to authorization servers and back at once.
pub const CONNECTING_MAX: usize = 1_000;
/// Milliseconds that a person may take to come back.
pub const CONNECTING_MILLISECONDS_MAX: u64 = 10 * 60_000;
/// People who were asked to connect a server of theirs at once, by server.
pub const CONNECTING_PEOPLE_MAX: usize = 20_000;
/// How long a call that comes back after its person was asked to connect a server waits for them, in milliseconds.
pub const CONNECTION_WAIT_MILLISECONDS_MAX: u64 = 20_000;
/// For how long an assertion of who calls is good, in seconds: one request's way to its server.
pub const ASSERTION_SECONDS: u64 = 60;
/// How long a person who signed in at the gate's own pages is known there, in milliseconds.
pub const VISITOR_MILLISECONDS_MAX: u64 = 10 * 60_000;
/// Sessions of people on the admin side at once.
pub const PEOPLE_SESSIONS_MAX: usize = 10_000;
/// The same for one person; one more ends the oldest.
pub const PEOPLE_SESSIONS_EACH_MAX: usize = 20;
/// Seconds that a session on the admin side lives, if nothing is said.
pub const PEOPLE_SESSION_SECONDS: u64 = 8 * 60 * 60;
/// The same at most, whatever is said.
pub const PEOPLE_SESSION_SECONDS_MAX: u64 = 24 * 60 * 60;
/// Seconds after which a browser's session ends that nobody uses, if nothing is said.
pub const PEOPLE_IDLE_SECONDS: u64 = 30 * 60;
/// Seconds that a session of the command line lives, if nothing is said.
pub const PEOPLE_COMMAND_LINE_SECONDS: u64 = 60 * 60;
/// Seconds after which the identity provider is asked again whether a person is still who they were, if nothing is said.
pub const PEOPLE_CHECK_SECONDS: u64 = 5 * 60;
/// Seconds that a session lives without the provider's word, whatever else is said.
pub const PEOPLE_UNCHECKED_SECONDS_MAX: u64 = 60 * 60;
/// Milliseconds between two notes that a session is in use.
pub const PEOPLE_SEEN_MILLISECONDS: u64 = 1_000;
/// Milliseconds until a provider that could not be asked about people is asked again.
pub const PEOPLE_PROVIDER_AWAY_MILLISECONDS: u64 = 5_000;
/// Command lines that wait for their person at once.
pub const PEOPLE_WAITING_MAX: usize = 200;
/// The same from one address.
pub const PEOPLE_WAITING_EACH_MAX: usize = 20;
/// Milliseconds that a code for the first administrator is good.
pub const FIRST_CODE_MILLISECONDS_MAX: u64 = 60 * 60_000;

/// Bytes in the id of a rule of inspection, and in a class of findings.
pub const RULE_ID_BYTES_MAX: usize = 128;
/// Bytes in a placeholder that stands for what was taken out.
pub const PLACEHOLDER_BYTES_MAX: usize = RULE_ID_BYTES_MAX + 32;
/// Bytes in what a placeholder stands for that can be undone; more is taken out for good.
pub const TOKENISED_BYTES_MAX: usize = 4 * 1024;
/// Placeholders that can be undone, of one agent and user; the oldest is forgotten for one more.
pub const TOKENS_PER_CALLER_MAX: usize = 2_000;
/// Agents and users whose placeholders are kept; those that were longest unused are forgotten for one more.
pub const TOKEN_CALLERS_MAX: usize = 10_000;
/// Bytes of all that placeholders stand for.
pub const TOKENS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Milliseconds without a message after which a caller's placeholders are forgotten.
pub const TOKENS_IDLE_MILLISECONDS_MAX: u64 = 60 * 60_000;
/// Entries of one dictionary, cells of one table, fingerprints of one set of documents.
pub const KNOWN_ENTRIES_MAX: usize = 1_000_000;
/// Words of one entry.
pub const KNOWN_WORDS_MAX: usize = 8;
/// Rows of a table that are kept in sight while a text is read.
pub const KNOWN_ROWS_OPEN_MAX: usize = 4_096;
/// Bytes in one file of what an organisation knows.
pub const KNOWN_FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Bytes in one file that such a file is made of.
pub const KNOWN_SOURCE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Files of what an organisation knows.
pub const KNOWN_FILES_MAX: usize = 32;
/// Findings that settings say are none.
pub const SUPPRESSIONS_MAX: usize = 1_000;
/// Findings that one receipt tells of.
pub const RECEIPT_FINDINGS_MAX: usize = 16;
/// Findings in one message; with more it counts as not wholly inspected.
pub const FINDINGS_MAX: usize = 1_000;
/// Times that something encoded is found in something encoded and read.
pub const DECODING_DEPTH_MAX: usize = 4;
/// Bytes of other readings of one message: undone, decoded, joined. With more it counts as not wholly inspected.
pub const DECODED_BYTES_MAX: usize = 4 * MESSAGE_BYTES_MAX;
/// Encoded pieces of one message that are read.
pub const DECODED_PIECES_MAX: usize = 10_000;
/// Characters of something encoded from which on it is worth reading.
pub const ENCODED_CHARS_MIN: usize = 16;
/// Bytes of a decoded piece by which it is judged whether it is text.
pub const DECODED_SAMPLE_BYTES: usize = 96;
/// Bytes that the expressions of all rules read of one message, together; with more it counts as not wholly inspected.
pub const MATCHED_BYTES_MAX: usize = 16 * MESSAGE_BYTES_MAX;
/// Bytes before and after a rule's keyword in which the rest of what it looks for stands, unless it says otherwise.
pub const RULE_WINDOW_BYTES: usize = 512;
/// Bytes before and after a match in which words are looked for that speak for or against it.
pub const RULE_CONTEXT_BYTES: usize = 96;
/// Bytes of the end of one string, and of the beginning of the next, that are read as one.
pub const JOINED_BYTES_MAX: usize = 512;
/// Bytes of one key, as it is written, in a text that is inspected: what stands below a longer one has no place to tell.
pub const INSPECTED_KEY_BYTES_MAX: usize = 256;
/// Bytes in one text that is inspected: a message, or a file that a person asks about.
pub const INSPECTED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Servers in one host's inventory.
pub const INVENTORY_ENTRIES_MAX: usize = 2_000;
/// Folders with projects that one inventory looks into.
pub const INVENTORY_PROJECTS_MAX: usize = 2_000;
/// Folders that are walked through in search of projects.
pub const INVENTORY_FOLDERS_MAX: usize = 100_000;
/// How deep below a folder projects are searched for.
pub const INVENTORY_DEPTH_MAX: usize = 6;
/// Things in one folder of settings that are looked at.
pub const INVENTORY_LISTED_MAX: usize = 10_000;
/// Bytes in a host's or a user's name in a report.
pub const INVENTORY_NAME_BYTES_MAX: usize = 256;
/// Bytes in one report that is kept.
pub const INVENTORY_REPORT_BYTES_MAX: usize = 512 * 1024;
/// Reports that are kept.
pub const INVENTORY_REPORTS_MAX: usize = 10_000;
/// Reports that are read at once.
pub const INVENTORY_REPORTS_READ: usize = 16;
/// How long a report is kept that no newer one has replaced.
pub const INVENTORY_REPORT_MILLISECONDS_MAX: u64 = 90 * 24 * 60 * 60_000;

/// Bytes of a package.
pub const PACKAGE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes of a package by which its form is told.
pub const PACKAGE_BEGIN_BYTES: u64 = 512;
/// Bytes of all files of a package together.
pub const PACKAGE_UNPACKED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Bytes of one file of a package that is read; a larger one is only counted.
pub const PACKAGE_FILE_BYTES_READ: u64 = 4 * 1024 * 1024;
/// Bytes of all files of a package that are read.
pub const PACKAGE_BYTES_READ: u64 = 128 * 1024 * 1024;
/// Files, folders and whatever else a package holds.
pub const PACKAGE_ENTRIES_MAX: usize = 50_000;
/// Things told that an honest package would not have.
pub const PACKAGE_ODDITIES_MAX: usize = 100;
/// Bytes in a path within a package.
pub const PACKAGE_PATH_BYTES_MAX: usize = 1024;
/// Folders inside one another in a package.
pub const PACKAGE_DEPTH_MAX: usize = 64;
/// Places that are listed for one rule of a package's examination.
pub const PACKAGE_SIGHTS_LISTED: usize = 5;
/// Bytes of a container image that are read: of the archive, and again of what is unpacked of it.
pub const IMAGE_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;
/// Files, folders and whatever else the layers of a container image hold together.
pub const IMAGE_ENTRIES_MAX: usize = 1_000_000;
/// Files of a container image that are read, and what its layers take away from those below.
pub const IMAGE_FILES_MAX: usize = 100_000;
/// Layers of a container image.
pub const IMAGE_LAYERS_MAX: usize = 256;
/// What the index of a container image leads to.
pub const IMAGE_MANIFESTS_MAX: usize = 64;
/// Bytes that a layer packed with zstd may refer back over, which are held while it is unpacked (RFC 8878, section 3.1.1.1.2).
pub const ZSTD_WINDOW_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Bytes of a list of the packages that a container image's system is made of.
pub const IMAGE_LIST_BYTES_READ: u64 = 32 * 1024 * 1024;
/// Packages that run with a package, as far as they are listed.
pub const COMPONENTS_MAX: usize = 2000;
/// Advisories about one package and what runs with it.
pub const VULNERABILITIES_MAX: usize = 500;
/// Advisories in a database, counted once for each package that one is about.
pub const ADVISORIES_MAX: usize = 2_000_000;
/// Bytes of an advisory.
pub const ADVISORY_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of an archive of advisories.
pub const ADVISORY_ARCHIVE_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Bytes of an index of advisories.
pub const ADVISORY_INDEX_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Bytes of what an index of advisories says of the packages of all servers.
pub const ADVISORY_EXCERPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Kinds of packages, releases of systems among them, that an index of advisories is asked about.
pub const ADVISORY_ECOSYSTEMS_MAX: usize = 1000;
/// Bytes of one line of an index of advisories.
pub const ADVISORY_LINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a lock file.
pub const LOCK_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Questions that a server is asked when it is probed.
pub const PROBE_REQUESTS_MAX: usize = 25;
/// Bytes of one answer to such a question that are read.
pub const PROBE_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Bytes of all answers together after which nothing more is asked.
pub const PROBE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Milliseconds that one answer may take.
pub const PROBE_ANSWER_MILLISECONDS_MAX: u64 = 4_000;
/// Milliseconds after which nothing more is asked.
pub const PROBE_MILLISECONDS_MAX: u64 = 30_000;
/// Bytes of a package that is tried. What it is unpacked to has its own bound: the room that the jail gives it.
pub const TRIAL_PACKAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of a request that brings such a package, in base64 and with what is said of it.
pub const TRIAL_BODY_BYTES_MAX: usize = TRIAL_PACKAGE_BYTES_MAX / 3 * 4 + 64 * 1024;
/// Requests with more than [`ADMIN_BODY_BYTES_MAX`] bytes that are read at once; others wait.
pub const LARGE_BODIES_MAX: usize = 1;
/// Milliseconds that such a request may take to come.
pub const LARGE_BODY_MILLISECONDS_MAX: u64 = 120_000;
/// Arguments and variables that are taken from what a package says of how it is started.
pub const TRIAL_WORDS_MAX: usize = 100;
/// Bytes that a jail tells of what happens in it.
pub const TRIAL_NOTES_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Bytes that a program says when it is tried.
pub const TRIAL_SAID_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Things of one kind that a trial lists.
pub const TRIAL_LISTED_MAX: usize = 100;
/// Lines of a program's standard error that a trial keeps.
pub const TRIAL_STDERR_LINES_MAX: usize = 20;
/// Seconds that a trial may take, if nothing is said.
pub const TRIAL_SECONDS: u64 = 60;
/// The same at most, whatever is said.
pub const TRIAL_SECONDS_MAX: u64 = 600;
/// Bytes of memory that a program may use while it is tried, if nothing is said.
pub const TRIAL_MEMORY_BYTES: u64 = 1024 * 1024 * 1024;
/// Processes and threads that it may have, if nothing is said.
pub const TRIAL_PROCESSES: u64 = 256;
/// Files that each of them may have open at once: some read all that they have when they start.
pub const TRIAL_OPEN_FILES: u64 = 4096;
/// Hosts that programs may reach while they are tried.
pub const TRIAL_HOSTS_MAX: usize = 32;
/// Servers that are probed or tried at once.
pub const LOOKS_MAX: usize = 4;
/// Bytes that a program in a jail may write in each of the two rooms that it has.
pub const JAIL_ROOM_BYTES: u64 = 256 * 1024 * 1024;
/// Files and directories that a jail has besides the system's.
pub const JAIL_PATHS_MAX: usize = 32;
/// Attestations of one package that are read.
pub const ATTESTATIONS_MAX: usize = 8;
/// Bytes of one attestation.
pub const ATTESTATION_BYTES_MAX: usize = 32 * 1024;
/// Bytes of a file of attestations.
pub const ATTESTATION_FILE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of what is kept of a package.
pub const EXAMINATION_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a source file whose syntax is read.
pub const SOURCE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Nodes of the syntax of one source file, in two passes.
pub const SOURCE_NODES_MAX: usize = 10_000_000;
/// Bytes of what is kept of one source file: calls, their arguments, texts.
pub const SOURCE_FACTS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Times that the parser of a source file asks whether to go on.
pub const SOURCE_PARSE_STEPS_MAX: usize = 200_000;
/// Characters of a call's arguments that rules look at.
pub const SOURCE_ARGUMENTS_CHARS_MAX: usize = 512;
/// Characters of what is shown of a source file.
pub const SOURCE_EXCERPT_CHARS_MAX: usize = 120;

/// Bytes of a string from which on it can be a flood.
pub const FLOOD_BYTES_MIN: usize = 1024;
/// Turns of a made-up conversation from which on it is one.
pub const TURNS_MAX: usize = 8;
/// Bytes of a string from which on saying the same over and over is a flood.
pub const REPEATED_BYTES_MIN: usize = 16 * 1024;
/// Times that the same is said in a flood, at least.
pub const REPEATED_TIMES_MIN: usize = 64;
/// Different sentences of one string that are told apart when looking for repetitions.
pub const REPEATED_PIECES_MAX: usize = 10_000;

/// Detectors of the customer's own that settings may name.
pub const CALLOUTS_MAX: usize = 8;
/// Bytes of a message that such a detector is asked about; a larger one it has not looked at.
pub const CALLOUT_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of its answer.
pub const CALLOUT_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Findings in its answer.
pub const CALLOUT_FINDINGS_MAX: usize = 64;
/// Interceptors of one server that settings may name.
pub const INTERCEPTORS_MAX: usize = 16;
/// Interceptors that one server may list, whether settings name them or not.
pub const INTERCEPTORS_LISTED_MAX: usize = 256;
/// Events that one interceptor may say that it hooks.
pub const INTERCEPTOR_EVENTS_MAX: usize = 64;
/// Milliseconds for which what a server listed counts.
pub const INTERCEPTORS_LISTED_MILLISECONDS: u64 = 60_000;
/// Milliseconds it is waited for, at most and unless settings say otherwise.
pub const CALLOUT_MILLISECONDS_MAX: u64 = 5_000;
/// Milliseconds it is waited for.
pub const CALLOUT_MILLISECONDS: u64 = 500;
/// Questions that it is asked at the same time, at most and unless settings say otherwise.
pub const CALLOUT_QUESTIONS_MAX: usize = 64;
/// Questions that it is asked at the same time.
pub const CALLOUT_QUESTIONS: usize = 8;
/// Failures in a row after which it is left alone for a while.
pub const CALLOUT_FAILURES_MAX: u32 = 3;
/// Milliseconds for which it is left alone.
pub const CALLOUT_LEFT_ALONE_MILLISECONDS: u64 = 5_000;
