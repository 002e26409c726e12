package models

// AuditAction names what was done, as the audit log and its filter write it.
type AuditAction string

// The actions of the audit log.
const (
	AuditSetup               AuditAction = "Latchkey set up"
	AuditUserAdded           AuditAction = "User added"
	AuditPasswordChanged     AuditAction = "Password changed"
	AuditSignedIn            AuditAction = "Signed in"
	AuditSignedOut           AuditAction = "Signed out"
	AuditSignInFailed        AuditAction = "Sign-in failed"
	AuditIdentityConfirmed   AuditAction = "Identity confirmed"
	AuditConfirmFailed       AuditAction = "Identity not confirmed"
	AuditApplicationCreated  AuditAction = "Application created"
	AuditApplicationChanged  AuditAction = "Application changed"
	AuditApplicationDisabled AuditAction = "Application switched off"
	AuditApplicationEnabled  AuditAction = "Application switched on"
	AuditApplicationDeleted  AuditAction = "Application deleted"
	AuditSecretRotated       AuditAction = "Secret rotated"
	AuditSecretRetired       AuditAction = "Old secret ended"
	AuditSecretShown         AuditAction = "Secret shown"
	AuditSecretRemoved       AuditAction = "Secret removed"
	AuditKeyAdded            AuditAction = "Public key added"
	AuditKeyRemoved          AuditAction = "Public key removed"
	AuditTokenCreated        AuditAction = "Token created"
	AuditTokenShown          AuditAction = "Token shown"
	AuditTokenRevoked        AuditAction = "Token revoked"
	AuditTokensRevoked       AuditAction = "Tokens revoked"
	AuditResourceServerAdded AuditAction = "Resource server added"
	AuditResourceServerGone  AuditAction = "Resource server removed"

	AuditProfileChanged AuditAction = "Profile changed"
	AuditEmailAsked     AuditAction = "Email change asked for"
	AuditEmailChanged   AuditAction = "Email changed"
	AuditSessionEnded   AuditAction = "Session ended"
	AuditSessionsEnded  AuditAction = "Other sessions ended"

	AuditMemberInvited       AuditAction = "Member invited"
	AuditInvitationShown     AuditAction = "Invitation link shown"
	AuditInvitationCancelled AuditAction = "Invitation cancelled"
	AuditMemberJoined        AuditAction = "Member joined"
	AuditRoleChanged         AuditAction = "Role changed"
	AuditMemberRemoved       AuditAction = "Member removed"
	AuditMemberLeft          AuditAction = "Member left"
	AuditTeamRenamed         AuditAction = "Team renamed"
	AuditTeamSwitched        AuditAction = "Team switched"
	AuditSeenEnded           AuditAction = "Seen values ended"
	AuditSignedUp            AuditAction = "Account created"

	AuditSecondFactorAdded    AuditAction = "Second factor added"
	AuditSecondFactorRemoved  AuditAction = "Second factor removed"
	AuditSecondFactorReset    AuditAction = "Second factor reset"
	AuditSecondFactorFailed   AuditAction = "Second factor failed"
	AuditSecondFactorRequired AuditAction = "Second factor requirement changed"
	AuditPasskeyAdded         AuditAction = "Passkey added"
	AuditPasskeyRemoved       AuditAction = "Passkey removed"
	AuditPasskeyRefused       AuditAction = "Passkey refused"
	AuditRecoveryCodesMade    AuditAction = "Recovery codes made"
	AuditRecoveryCodeUsed     AuditAction = "Recovery code used"

	AuditTeamAdded             AuditAction = "Team added"
	AuditTeamSuspended         AuditAction = "Team suspended"
	AuditTeamResumed           AuditAction = "Team resumed"
	AuditUserDisabled          AuditAction = "User disabled"
	AuditUserEnabled           AuditAction = "User enabled"
	AuditOperatorMade          AuditAction = "Operator made"
	AuditOperatorUnmade        AuditAction = "Operator unmade"
	AuditUserSignedOut         AuditAction = "Sessions ended by operator"
	AuditResetLinkMade         AuditAction = "Password link made"
	AuditResetLinkMailed       AuditAction = "Password link mailed"
	AuditPasswordReset         AuditAction = "Password set by link"
	AuditResourceServerRotated AuditAction = "Resource server secret rotated"
	AuditTestMail              AuditAction = "Test mail sent"

	AuditProviderLinked   AuditAction = "Provider linked"
	AuditProviderUnlinked AuditAction = "Provider unlinked"

	AuditWebhookSet           AuditAction = "Webhook set"
	AuditWebhookRemoved       AuditAction = "Webhook removed"
	AuditWebhookTested        AuditAction = "Webhook tested"
	AuditWebhookSecretShown   AuditAction = "Webhook secret shown"
	AuditWebhookSecretRotated AuditAction = "Webhook secret rotated"
	AuditCalendarFeedMade     AuditAction = "Calendar feed made"
	AuditCalendarFeedEnded    AuditAction = "Calendar feed switched off"
	AuditApplicationTaken     AuditAction = "Application taken over"
	AuditFindingKept          AuditAction = "Finding kept"
)

// What Profile lists of a person's account. OwnDeeds are those done by the person, on any
// target; what is done to the account by anybody is listed but for QuietDeeds. What a team
// does about the values that somebody has seen is the team's own matter.
var (
	OwnDeeds   = []AuditAction{AuditSignedIn}
	QuietDeeds = []AuditAction{AuditProfileChanged, AuditSeenEnded}
	// FailedProofs are what counts as a failed try.
	FailedProofs = []AuditAction{AuditSignInFailed, AuditConfirmFailed, AuditSecondFactorFailed}
)

// What the audit log says of itself, and of what was refused.
const (
	AuditEntriesDeleted AuditAction = "Audit entries deleted"
	AuditRefused        AuditAction = "Request refused"
)

// What operators do about plans and points. What concerns a team stands in its own log.
const (
	AuditPlanAdded       AuditAction = "Plan added"
	AuditPlanChanged     AuditAction = "Plan changed"
	AuditPlanRetired     AuditAction = "Plan retired"
	AuditPlanGiven       AuditAction = "Plan given"
	AuditPlanEnded       AuditAction = "Plan ended"
	AuditPointsAdded     AuditAction = "Points added"
	AuditPointsCorrected AuditAction = "Points corrected"
)

// What is done in the Explorer.
const (
	AuditTokenUsed AuditAction = "Token used in Explorer"
)

// What happens to temporary tokens; showing one is AuditTokenShown.
const (
	AuditTemporaryMade     AuditAction = "Temporary token made"
	AuditTemporaryReplaced AuditAction = "Temporary token replaced"
)

// What is done with the database as a whole.
const (
	AuditRestored AuditAction = "Backup restored"
)

// What happens to the keys of the key file.
const (
	AuditKeysClosed AuditAction = "Keys replaced"
	AuditKeyRetired AuditAction = "Old key retired"
)

// AuditEvent is one line of the audit log. Rows are only ever added.
type AuditEvent struct {
	ID     string `gorm:"primaryKey"`
	TeamID string
	// Seq is its number in the team, without a gap; Link sets it with Version, Search and Hash.
	Seq        int64
	Version    int64
	At         Time
	ActorID    string
	ActorName  string
	ActorRole  Role
	Action     AuditAction
	TargetType string
	TargetID   string
	// Target is the name by which people know the target at that time.
	Target string
	// ApplicationID is the application that the target is or belongs to, if there is one.
	ApplicationID string
	Detail        string
	// Changes holds the settings that were changed, as JSON of []AuditChange; empty for none.
	Changes   string
	Address   string
	UserAgent string
	RequestID string
	// Search is what a search finds.
	Search string
	// Hash is over all the others and the hash of the event before, in hexadecimal.
	Hash string
}

// AuditChange is one setting before and after.
type AuditChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}
