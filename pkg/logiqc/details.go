package logiqc

// Details is the allow-list of what an event may say beyond its common
// fields; each action uses a few of them. It carries enough to rebuild every
// account, the policy, tokens and sessions from the log alone ([Replay]).
type Details struct {
	// Of store.initialised.
	Store  string `json:"store,omitempty"`  // its id
	Origin string `json:"origin,omitempty"` // of the log's checkpoints

	// Of user.created and user.imported: the account as it was made.
	Account *Snapshot `json:"account,omitempty"`
	// Of user.updated and policy.changed: what changed, in order of the fields.
	Changes []Change `json:"changes,omitempty"`
	// Of user.password_set: SHA-256 of the PHC string, hex.
	Password string `json:"password,omitempty"`

	// Of the mfa.* actions.
	Enrolment     string `json:"enrolment,omitempty"` // id
	Replaces      string `json:"replaces,omitempty"`  // id of the enrolment it takes over from
	Step          int64  `json:"step,omitempty"`      // time step spent
	Authenticator *bool  `json:"authenticator,omitempty"`
	Pending       *bool  `json:"pending,omitempty"`
	RecoveryCodes *int   `json:"recovery_codes,omitempty"` // cleared, issued or left
	// RecoveryDigest is the [Digest] of the hashes of the recovery codes that an
	// account has then, one behind the other in their order; "" for none.
	RecoveryDigest string `json:"recovery_digest,omitempty"`
	Sessions       *int   `json:"sessions,omitempty"` // ended
	KeptSessions   bool   `json:"kept_sessions,omitempty"`
	NotifyUser     string `json:"notify_user,omitempty"` // who is to tell the user: "operator"
	Held           bool   `json:"held,omitempty"`        // the reset also holds the sign-in
	Reopened       bool   `json:"reopened,omitempty"`    // the window to enrol in begins anew
	// EnrolmentCode is the SHA-256 of the PHC string of an enrolment code that
	// was issued, hex; it is good until ExpiresAt.
	EnrolmentCode string `json:"enrolment_code,omitempty"`

	// Of mfa.requested, mfa.approved, mfa.rejected and a reset that was approved:
	// which request, and whose.
	Approval    string `json:"approval,omitempty"`
	RequestedBy string `json:"requested_by,omitempty"`

	// Of mfa.recovered: who ran it, by what sudo says (an environment variable,
	// so a claim) and by what the kernel says of the login; "" where unknown.
	SudoUser  string `json:"sudo_user,omitempty"`
	LoginUser string `json:"login_user,omitempty"`

	// Of signin.*, session.* and token.*.
	Session   string  `json:"session,omitempty"` // id
	Bearer    string  `json:"bearer,omitempty"`  // [Digest] of the hash that is stored of the session's or token's secret
	Next      string  `json:"next,omitempty"`    // what signin.started waits for
	Method    string  `json:"method,omitempty"`  // password, code or recovery_code: the last factor
	Cause     string  `json:"cause,omitempty"`   // true reason of a failure that read like any other
	Drift     int64   `json:"drift_seconds,omitempty"`
	Until     Time    `json:"until,omitzero"`
	Misses    int     `json:"misses,omitempty"`
	Token     string  `json:"token,omitempty"` // id
	Name      string  `json:"name,omitempty"`  // of the token
	Role      Role    `json:"role,omitempty"`
	Allow     []Right `json:"allow,omitempty"`
	ExpiresAt Time    `json:"expires_at,omitzero"`
	All       bool    `json:"all,omitempty"` // session.revoked, token.revoked: every one of the target, or of all

	// Of key.rotated and key.retired: which keys, and the one meant, never more
	// of it than everybody may know.
	Keys string `json:"keys,omitempty"` // log or seal
	Key  string `json:"key,omitempty"`
	// Verifier is the whole line of a new signing key: so who knows the key
	// before it can learn this one from the log.
	Verifier string `json:"verifier,omitempty"`
	// Of audit.exported: where to.
	Folder string `json:"folder,omitempty"`

	// Of store.*: the file of a backup; where a copy goes to; that a copy was
	// given up and the store takes changes again.
	File     string `json:"file,omitempty"`
	To       string `json:"to,omitempty"`
	BackFrom string `json:"back_from,omitempty"`
	// Of store.restored and audit.origin_started: the log that was put back, and
	// the newest checkpoint that was signed of the log before, as it was signed.
	Size       *int64 `json:"size,omitempty"`
	Root       string `json:"root,omitempty"`
	Before     string `json:"before,omitempty"` // its origin
	BeforeSize *int64 `json:"before_size,omitempty"`
	BeforeRoot string `json:"before_root,omitempty"`
	// Of store.restored with a newer copy of the log: how many events of after
	// the backup that had, and what it could not give back.
	Carried *int64 `json:"carried,omitempty"`
	Lost    *Lost  `json:"lost,omitempty"`
	// Of audit.witness_*: the address of the witness, whose Name is that of its
	// Key, the line that verifies its signatures.
	URL string `json:"url,omitempty"`
}

// Lost counts what a log cannot give back of a store: secrets are not in it.
type Lost struct {
	Enrolments    int `json:"enrolments"`
	Passwords     int `json:"passwords"`
	RecoveryCodes int `json:"recovery_codes"` // accounts whose codes are gone
	Tokens        int `json:"tokens"`
}

// LostAccount is an account of which a restore could not give everything back.
type LostAccount struct {
	User          string `json:"user"`
	Enrolment     bool   `json:"enrolment"` // its enrolment, or the code to enrol with
	Password      bool   `json:"password"`
	RecoveryCodes bool   `json:"recovery_codes"`
}

// LostToken is a token that a restore could not give back.
type LostToken struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	User string `json:"user"`
}

// Snapshot is an account as it was made.
type Snapshot struct {
	Username  string `json:"username"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	Phone     string `json:"phone"`
	Role      Role   `json:"role"`
	Status    Status `json:"status"`
	Auth      Method `json:"auth"`
	Toggle    OnOff  `json:"toggle"`
	Protected bool   `json:"protected"`
	Password  string `json:"password"`  // SHA-256 of the PHC string, hex, or ""
	Enrolment string `json:"enrolment"` // id of an imported one, or ""
}

// Change is one field before and after.
type Change struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}
