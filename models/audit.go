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

// AuditEvent is one line of the audit log. Rows are only ever added.
type AuditEvent struct {
	ID         string `gorm:"primaryKey"`
	TeamID     string
	At         Time
	ActorID    string
	ActorName  string
	ActorRole  Role
	Action     AuditAction
	TargetType string
	TargetID   string
	// Target is the name by which people know the target at that time.
	Target string
	Detail string
	// Changes holds the settings that were changed, as JSON of []AuditChange; empty for none.
	Changes   string
	Address   string
	UserAgent string
	RequestID string
}

// AuditChange is one setting before and after.
type AuditChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}
