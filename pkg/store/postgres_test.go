//go:build unix

package store

import "testing"

// TestOnPostgres runs the tests that ask nothing of a file on PostgreSQL:
// newTestStore looks at the name it runs under.
func TestOnPostgres(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"Checkpoint": TestCheckpoint, "FindRanking": TestFindRanking, "FindFilters": TestFindFilters, "FindCursor": TestFindCursor,
		"FindIsComplete": TestFindIsComplete, "AppendAndRead": TestAppendAndRead, "ReadRanges": TestReadRanges,
		"AppendRefusesGaps": TestAppendRefusesGaps, "EventsFilters": TestEventsFilters, "EventsCursor": TestEventsCursor,
		"SchemaVersions": TestSchemaVersions, "EnrolmentLife": TestEnrolmentLife, "StepIsSpentOnce": TestStepIsSpentOnce,
		"RecoveryCodes": TestRecoveryCodes, "Sessions": TestSessions, "Tokens": TestTokens, "Requests": TestRequests,
		"InfoAndPolicy": TestInfoAndPolicy, "OneNow": TestOneNow, "UpdateRollsBack": TestUpdateRollsBack,
		"ViewCannotWrite": TestViewCannotWrite, "UpdateWaits": TestUpdateWaits, "ContextEndsTransaction": TestContextEndsTransaction,
		"UsersRoundTrip": TestUsersRoundTrip, "UserComesBackWhole": TestUserComesBackWhole, "UserRefs": TestUserRefs,
		"InsertTaken": TestInsertTaken, "UpdateUser": TestUpdateUser, "UpdateKeepsSearchInStep": TestUpdateKeepsSearchInStep,
		"Figures": TestFigures, "UpdateKilled": TestUpdateKilled, "ManyProcesses": TestManyProcesses,
	} {
		t.Run(name, test)
	}
}
