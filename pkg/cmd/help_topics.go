package cmd

const jsonTopic = `With -o json an answer is one JSON value on standard output: an object, or an array for
a list. With -o jsonl a list is one value per line. Keys are snake_case, times are
RFC 3339 in UTC, a list without elements is []. Fields are only ever added.

A failure is one object on standard error, and nothing else is written there:

    {"error":{"code":"sso_account","message":"…","hint":"…"}}

code is stable; message and hint are for people. Some commands have an answer and fail:
then the answer is on standard output and the error on standard error.

Lists are complete; only --limit cuts them. Commands that change one account answer
{"changed":true,"account":{…}}. Nothing to change is success: "changed":false.

With --request-id ID a retry of the same command answers with the first outcome,
"replayed":true and every secret null.`

const storesTopic = `A store holds the accounts and the audit log. It is named by --store, LOGIQC_STORE or a
profile:

    sqlite:PATH, or just PATH     a file on this machine
    postgres://USER@HOST/NAME     a PostgreSQL database
    https://HOST:PORT             a logiqc serve, on another machine
    unix:PATH                     a logiqc serve, on this one

The default is sqlite:$XDG_DATA_HOME/logiqc/logiqc.db. "logiqc init" makes a store;
"logiqc demo" makes one to throw away.

The keys that seal the secrets in a store are kept apart from it, in a folder per store
below --keys, by default $XDG_CONFIG_HOME/logiqc/keys. Back them up apart from the store:
without them nobody can sign in with an app code. Resets work without them.

Files are readable by their owner only; what others can read is refused, with the chmod
line that mends it.

Whoever holds the store's file is an administrator in all but name. So init, demo, recover,
the groups store and keys, doctor, and audit key, checkpoint, verify, prove, export,
reconcile, report, witness and push need no sign-in there.

    logiqc store backup FILE      writes all of it to a new file, and checks that
    logiqc store restore FILE     puts it back; every session ends
    logiqc store copy --to URL    moves it, such as to PostgreSQL, and closes it here
    logiqc store freeze, thaw     stops changes, and lets them go on; sign-ins go on
    logiqc store check            looks whether it is sound

A server is for several people: logiqc serve --tls-self-signed prints the line that each of
them types. They know it by the pin of its key (--pin), by the authority that signed its
certificate (--ca-file), or as browsers do. A server that cannot be reached is exit status
11, and nothing was changed; 12 says that a change was sent and its answer lost.

Keep several stores apart by profiles: logiqc config add NAME --store URL --use`

const lostPhoneTopic = `You still have the old phone, or a recovery code

    logiqc enrol --replace

moves you to the new phone without the help desk. The old one works until the new one is
proved. A recovery code also signs you in, once:

    logiqc signin            and choose the recovery code, or --recovery-code -

You have neither

Call the help desk. They find you, make sure it is you, and reset your MFA:

    logiqc users find lee
    logiqc mfa reset jlee

At your next sign-in with your password you set up the new phone. Nothing is sent to you:
the help desk tells you. They may give you an enrolment code, twelve digits that you type
after the password.

You are an administrator

Another administrator resets you: logiqc mfa reset, and then types your username. Or the
help desk asks for it, and an administrator approves: logiqc mfa request, logiqc mfa
approve. Nobody resets their own MFA, so keep your recovery codes, and have two
administrators.

You are the only administrator

Whoever may read the store and its keys, on the machine where they are, breaks the glass:

    sudo -u logiqc logiqc recover helen --reason "lost phone, sole on-call"

and reads you the enrolment code that it shows once; you type it after the password at your
next sign-in. It cannot be done through a server or by a script, and it is not quiet: every
operator is told at the next sign-in. A store that is frozen is thawed first (logiqc store
thaw), which needs no sign-in there.

The phone was stolen

A reset also ends every session of the account, and with --hold nobody signs in until the
help desk says so (logiqc users unlock). If the password may be known too, an
administrator sets another: logiqc users passwd jlee`
