"""Bounty's own tables, as its Drizzle schema declares them: 37 tables in 16 modules by domain.

It needs SQLAlchemy and nothing else, so any Python service may import it.
"""

from bounty_ops.schema.bounty.admin_events import (
    ADMIN_EVENT_TARGET_TYPE,
    ADMIN_EVENT_TYPE,
    AdminEvent,
    AdminEventTargetType,
    AdminEventType,
)
from bounty_ops.schema.bounty.auth import (
    Account,
    EmailOtp,
    OAuthState,
    RateLimit,
    Session,
    User,
    Verification,
    Waitlist,
)
from bounty_ops.schema.bounty.base import Base
from bounty_ops.schema.bounty.beta_applications import (
    BETA_APPLICATION_STATUS,
    BetaApplication,
    BetaApplicationStatus,
)
from bounty_ops.schema.bounty.bounties import (
    BOUNTY_STATUS,
    CANCELLATION_REQUEST_STATUS,
    PAYMENT_STATUS,
    SUBMISSION_STATUS,
    Bounty,
    BountyApplication,
    BountyBookmark,
    BountyComment,
    BountyCommentLike,
    BountyLink,
    BountyStatus,
    BountyVote,
    CancellationRequest,
    CancellationRequestStatus,
    PaymentStatus,
    Submission,
    SubmissionStatus,
)
from bounty_ops.schema.bounty.device_code import DEVICE_CODE_STATUS, DeviceCode, DeviceCodeStatus
from bounty_ops.schema.bounty.feature_votes import FEATURE_TYPE, FeatureType, FeatureVote
from bounty_ops.schema.bounty.github_installation import GithubInstallation
from bounty_ops.schema.bounty.invites import Invite
from bounty_ops.schema.bounty.linear_account import LinearAccount
from bounty_ops.schema.bounty.moderation import (
    MODERATION_CONTENT_TYPE,
    MODERATION_STATUS,
    ModerationContentType,
    ModerationFlag,
    ModerationStatus,
)
from bounty_ops.schema.bounty.notifications import NOTIFICATION_TYPE, Notification, NotificationType
from bounty_ops.schema.bounty.onboarding import OnboardingCoupon, OnboardingState
from bounty_ops.schema.bounty.organization import (
    ORG_INVITATION_STATUS,
    ORG_MEMBER_ROLE,
    Invitation,
    Member,
    Organization,
    OrgInvitationStatus,
    OrgMemberRole,
)
from bounty_ops.schema.bounty.passkey import Passkey
from bounty_ops.schema.bounty.payments import (
    PAYOUT_STATUS,
    TRANSACTION_TYPE,
    Payout,
    PayoutStatus,
    Transaction,
    TransactionType,
)
from bounty_ops.schema.bounty.profiles import UserProfile, UserRating, UserReputation

__all__ = [
    "ADMIN_EVENT_TARGET_TYPE",
    "ADMIN_EVENT_TYPE",
    "BETA_APPLICATION_STATUS",
    "BOUNTY_STATUS",
    "CANCELLATION_REQUEST_STATUS",
    "DEVICE_CODE_STATUS",
    "FEATURE_TYPE",
    "MODERATION_CONTENT_TYPE",
    "MODERATION_STATUS",
    "NOTIFICATION_TYPE",
    "ORG_INVITATION_STATUS",
    "ORG_MEMBER_ROLE",
    "PAYMENT_STATUS",
    "PAYOUT_STATUS",
    "SUBMISSION_STATUS",
    "TRANSACTION_TYPE",
    "Account",
    "AdminEvent",
    "AdminEventTargetType",
    "AdminEventType",
    "Base",
    "BetaApplication",
    "BetaApplicationStatus",
    "Bounty",
    "BountyApplication",
    "BountyBookmark",
    "BountyComment",
    "BountyCommentLike",
    "BountyLink",
    "BountyStatus",
    "BountyVote",
    "CancellationRequest",
    "CancellationRequestStatus",
    "DeviceCode",
    "DeviceCodeStatus",
    "EmailOtp",
    "FeatureType",
    "FeatureVote",
    "GithubInstallation",
    "Invitation",
    "Invite",
    "LinearAccount",
    "Member",
    "ModerationContentType",
    "ModerationFlag",
    "ModerationStatus",
    "Notification",
    "NotificationType",
    "OAuthState",
    "OnboardingCoupon",
    "OnboardingState",
    "OrgInvitationStatus",
    "OrgMemberRole",
    "Organization",
    "Passkey",
    "PaymentStatus",
    "Payout",
    "PayoutStatus",
    "RateLimit",
    "Session",
    "Submission",
    "SubmissionStatus",
    "Transaction",
    "TransactionType",
    "User",
    "UserProfile",
    "UserRating",
    "UserReputation",
    "Verification",
    "Waitlist",
]
