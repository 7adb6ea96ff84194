package store

import (
	"database/sql"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Token is an API token as it is stored. User is the username of the account
// with the id UserID, for which it acts.
type Token struct {
	logiqc.TokenInfo
	Hash   [32]byte // SHA-256 of the token
	UserID string
	Holder Holder // as it is now
}

const tokenSQL = `SELECT t.id, t.hash, t.name, t.role, t.allow, t.created_at, t.last_used_at, t.expires_at, t.revoked_at,
	a.id, a.username, a.role, a.status
	FROM token t JOIN account a ON a.id = t.user_id `

func (tx *Tx) tokens(where string, args ...any) (all []Token, err error) {
	err = tx.each(tokenSQL+where, args, func(rows *sql.Rows) error {
		var t Token
		var hash []byte
		var allow string
		err := rows.Scan(&t.ID, &hash, &t.Name, &t.Role, &allow, &t.CreatedAt, &t.LastUsedAt, &t.ExpiresAt, &t.RevokedAt,
			&t.Holder.ID, &t.Holder.Username, &t.Holder.Role, &t.Holder.Status)
		copy(t.Hash[:], hash)
		t.UserID, t.User = t.Holder.ID, t.Holder.Username
		t.Allow = splitRights(allow)
		all = append(all, t)
		return err
	})
	return all, err
}

func (tx *Tx) token(column string, value any) (Token, error) {
	found, err := tx.tokens(`WHERE t.`+column+` = $1`, value)
	if err != nil {
		return Token{}, err
	}
	if len(found) == 0 {
		return Token{}, logiqc.Errorf(logiqc.NotFound, "there is no such token")
	}
	return found[0], nil
}

// TokenByHash returns the token with the hash, revoked or expired ones too, or
// NotFound.
func (tx *Tx) TokenByHash(hash [32]byte) (Token, error) { return tx.token("hash", hash[:]) }

// TokenByID returns the token with the id, revoked or expired ones too, or
// NotFound.
func (tx *Tx) TokenByID(id string) (Token, error) {
	return remembered(tx, id, func() (Token, error) { return tx.token("id", id) })
}

// Tokens returns every token, revoked and expired ones too, newest first.
func (tx *Tx) Tokens() ([]Token, error) { return tx.tokens(`ORDER BY t.created_at DESC, t.id DESC`) }

// InsertToken adds a token. Exists when a live one has its name.
func (tx *Tx) InsertToken(t Token) error {
	n, err := tx.count(`SELECT count(*) FROM token WHERE name = $1 AND revoked_at = 0 AND (expires_at = 0 OR expires_at > $2)`,
		t.Name, int64(tx.now))
	if err != nil {
		return err
	}
	if n > 0 {
		return logiqc.Errorf(logiqc.Exists, "there is a token named %s already", t.Name).
			WithHint("choose another name, or revoke it: logiqc tokens list")
	}
	_, err = tx.exec(`INSERT INTO token (id, hash, name, user_id, role, allow, created_at, last_used_at, expires_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		t.ID, t.Hash[:], t.Name, t.UserID, string(t.Role), joinRights(t.Allow),
		int64(t.CreatedAt), int64(t.LastUsedAt), int64(t.ExpiresAt), int64(t.RevokedAt))
	return err
}

// RevokeToken revokes a token at Now; it reports whether there was one that
// was not revoked before.
func (tx *Tx) RevokeToken(id string) (bool, error) {
	n, err := tx.exec(`UPDATE token SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0`, int64(tx.now), id)
	return n == 1, err
}

// RevokeTokens revokes the tokens that act for one account, or all with userID
// "", and counts those that were live.
func (tx *Tx) RevokeTokens(userID string) (int, error) {
	const revoke = `UPDATE token SET revoked_at = $1 WHERE revoked_at = 0 AND (expires_at = 0 OR expires_at > $1)`
	var n int64
	var err error
	if userID == "" {
		n, err = tx.exec(revoke, int64(tx.now))
	} else {
		n, err = tx.exec(revoke+` AND user_id = $2`, int64(tx.now), userID)
	}
	return int(n), err
}

// TouchToken notes that a token is in use at Now.
func (tx *Tx) TouchToken(id string) error {
	_, err := tx.exec(`UPDATE token SET last_used_at = $1 WHERE id = $2`, int64(tx.now), id)
	return err
}

func joinRights(rights []logiqc.Right) string {
	parts := make([]string, len(rights))
	for i, r := range rights {
		parts[i] = string(r)
	}
	return strings.Join(parts, ",")
}

func splitRights(s string) []logiqc.Right {
	if s == "" {
		return []logiqc.Right{}
	}
	parts := strings.Split(s, ",")
	rights := make([]logiqc.Right, len(parts))
	for i, p := range parts {
		rights[i] = logiqc.Right(p)
	}
	return rights
}
