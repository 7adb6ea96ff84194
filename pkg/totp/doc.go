// Package totp makes and checks the one-time codes of authenticator apps, and
// the recovery codes that stand in for them.
//
// # App codes
//
// An app code is TOTP (RFC 6238) with the parameters every authenticator app
// understands, and no others: SHA-1, six digits, a period of 30 seconds, and
// one step of tolerance either side. [Check] says which step a code belongs
// to. It keeps no state: the caller accepts a step once, and only a greater
// one than the last, in one conditional write (RFC 6238 section 5.2, NIST SP
// 800-63B section 3.1.4, ASVS 6.5.1).
//
// # Secrets
//
// [Key], [RecoveryCode] and [Bitmap] hold secrets. However they are printed,
// logged or encoded they read "[redacted]", also as unexported fields of
// other types. The secret itself leaves only by the methods named for it:
// [Key.Base32], [Key.Groups], [Key.Bytes], [RecoveryCode.Reveal], [URI] and
// the modules of a [Bitmap]. No error of this package contains any of it.
package totp
