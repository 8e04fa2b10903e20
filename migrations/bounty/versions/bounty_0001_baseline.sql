-- Bounty's schema as its Drizzle declarations stand at commit 0377c8fb (2026-05-15).
-- Never edit this file: databases out there have it behind them. A change is a new revision.
-- One statement ends where a line ends in a semicolon.

CREATE TYPE admin_event_target_type AS ENUM (
    'user',
    'bounty',
    'comment',
    'submission',
    'organization'
);
CREATE TYPE admin_event_type AS ENUM (
    'user_signup',
    'user_banned',
    'user_unbanned',
    'early_access_granted',
    'content_reported',
    'profanity_blocked',
    'content_hidden',
    'content_unhidden',
    'ratelimit_hit',
    'bounty_created',
    'bounty_funded',
    'bounty_completed',
    'bounty_cancelled',
    'admin_action'
);
CREATE TYPE beta_application_status AS ENUM ('pending', 'approved', 'rejected');
CREATE TYPE bounty_status AS ENUM ('draft', 'open', 'in_progress', 'completed', 'cancelled');
CREATE TYPE cancellation_request_status AS ENUM ('pending', 'approved', 'rejected', 'withdrawn');
CREATE TYPE device_code_status AS ENUM ('pending', 'approved', 'denied');
CREATE TYPE feature_type AS ENUM ('integration');
CREATE TYPE moderation_content_type AS ENUM ('bounty', 'comment', 'submission', 'user');
CREATE TYPE moderation_status AS ENUM ('pending', 'approved', 'rejected', 'auto_flagged');
CREATE TYPE notification_type AS ENUM (
    'system',
    'bounty_comment',
    'submission_received',
    'submission_approved',
    'submission_rejected',
    'bounty_awarded',
    'beta_application_approved',
    'beta_application_rejected',
    'custom'
);
CREATE TYPE org_invitation_status AS ENUM (
    'pending',
    'accepted',
    'rejected',
    'canceled',
    'expired'
);
CREATE TYPE org_member_role AS ENUM ('owner', 'member');
CREATE TYPE payment_status AS ENUM ('pending', 'held', 'released', 'refunded', 'failed');
CREATE TYPE payout_status AS ENUM ('pending', 'processing', 'completed', 'failed');
CREATE TYPE submission_status AS ENUM ('pending', 'approved', 'rejected', 'revision_requested');
CREATE TYPE transaction_type AS ENUM ('payment_intent', 'transfer', 'refund', 'payout');

CREATE TABLE oauth_state (
    id text DEFAULT gen_random_uuid() NOT NULL,
    state text NOT NULL,
    provider text NOT NULL,
    provider_id text,
    expires_at timestamp NOT NULL,
    used boolean DEFAULT false NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT oauth_state_pkey PRIMARY KEY (id),
    CONSTRAINT oauth_state_state_unique UNIQUE (state)
);

CREATE TABLE organization (
    id text NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    logo text,
    metadata text,
    is_personal boolean DEFAULT false NOT NULL,
    stripe_customer_id text,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT organization_pkey PRIMARY KEY (id),
    CONSTRAINT organization_slug_unique UNIQUE (slug)
);
CREATE INDEX organization_slug_idx ON organization (slug);

CREATE TABLE rate_limit (
    id text NOT NULL,
    key text NOT NULL,
    count integer NOT NULL,
    last_request bigint NOT NULL,
    CONSTRAINT rate_limit_pkey PRIMARY KEY (id)
);

CREATE TABLE "user" (
    id text NOT NULL,
    name text,
    email text NOT NULL,
    email_verified boolean DEFAULT false NOT NULL,
    image text,
    handle text,
    is_profile_private boolean DEFAULT false NOT NULL,
    role text DEFAULT 'user' NOT NULL,
    banned boolean DEFAULT false NOT NULL,
    ban_reason text,
    ban_expires timestamp,
    stripe_customer_id text,
    stripe_connect_account_id text,
    stripe_connect_onboarding_complete boolean DEFAULT false NOT NULL,
    card_background text,
    invite_sent_at timestamp,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT user_pkey PRIMARY KEY (id),
    CONSTRAINT user_email_unique UNIQUE (email),
    CONSTRAINT user_handle_unique UNIQUE (handle)
);

CREATE TABLE verification (
    id text NOT NULL,
    identifier text NOT NULL,
    value text NOT NULL,
    expires_at timestamp NOT NULL,
    created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now(),
    CONSTRAINT verification_pkey PRIMARY KEY (id)
);

CREATE TABLE account (
    id text NOT NULL,
    account_id text NOT NULL,
    provider_id text NOT NULL,
    user_id text NOT NULL,
    access_token text,
    refresh_token text,
    id_token text,
    access_token_expires_at timestamp,
    refresh_token_expires_at timestamp,
    scope text,
    password text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT account_pkey PRIMARY KEY (id),
    CONSTRAINT account_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE admin_events (
    id text DEFAULT gen_random_uuid() NOT NULL,
    event_type admin_event_type NOT NULL,
    actor_id text,
    target_type admin_event_target_type,
    target_id text,
    description text,
    metadata jsonb,
    ip_address text,
    country text,
    region text,
    city text,
    created_at timestamp DEFAULT now() NOT NULL,
    expires_at timestamp DEFAULT now() + interval '30 days' NOT NULL,
    CONSTRAINT admin_events_pkey PRIMARY KEY (id),
    CONSTRAINT admin_events_actor_id_user_id_fk FOREIGN KEY (actor_id)
        REFERENCES "user" (id) ON DELETE SET NULL
);
CREATE INDEX admin_events_event_type_idx ON admin_events (event_type);
CREATE INDEX admin_events_actor_id_idx ON admin_events (actor_id);
CREATE INDEX admin_events_target_id_idx ON admin_events (target_id);
CREATE INDEX admin_events_created_at_idx ON admin_events (created_at);

CREATE TABLE beta_application (
    id text DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    twitter text NOT NULL,
    project_name text NOT NULL,
    project_link text NOT NULL,
    description text NOT NULL,
    status beta_application_status DEFAULT 'pending' NOT NULL,
    reviewed_by text,
    reviewed_at timestamp,
    review_notes text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT beta_application_pkey PRIMARY KEY (id),
    CONSTRAINT beta_application_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE,
    CONSTRAINT beta_application_reviewed_by_user_id_fk FOREIGN KEY (reviewed_by)
        REFERENCES "user" (id) ON DELETE SET NULL
);

CREATE TABLE bounty (
    id text DEFAULT gen_random_uuid() NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    amount numeric(15,2) NOT NULL,
    currency text DEFAULT 'USD' NOT NULL,
    status bounty_status DEFAULT 'draft' NOT NULL,
    deadline timestamp,
    tags text[],
    repository_url text,
    issue_url text,
    github_issue_number integer,
    github_installation_id integer,
    github_repo_owner text,
    github_repo_name text,
    github_comment_id bigint,
    linear_issue_id text,
    linear_issue_identifier text,
    linear_issue_url text,
    linear_account_id text,
    linear_comment_id text,
    submission_keyword text DEFAULT '@bountydotnew submit',
    organization_id text,
    created_by_id text NOT NULL,
    assigned_to_id text,
    is_featured boolean DEFAULT false NOT NULL,
    is_hidden boolean DEFAULT false NOT NULL,
    stripe_payment_intent_id text,
    stripe_checkout_session_id text,
    stripe_transfer_id text,
    payment_status payment_status DEFAULT 'pending',
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT bounty_pkey PRIMARY KEY (id),
    CONSTRAINT bounty_linear_issue_id_unique UNIQUE (linear_issue_id),
    CONSTRAINT bounty_organization_id_organization_id_fk FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT bounty_created_by_id_user_id_fk FOREIGN KEY (created_by_id)
        REFERENCES "user" (id) ON DELETE CASCADE,
    CONSTRAINT bounty_assigned_to_id_user_id_fk FOREIGN KEY (assigned_to_id)
        REFERENCES "user" (id) ON DELETE SET NULL
);
CREATE INDEX bounty_organization_id_idx ON bounty (organization_id);

CREATE TABLE device_code (
    id text DEFAULT gen_random_uuid() NOT NULL,
    device_code text NOT NULL,
    user_code text NOT NULL,
    user_id text,
    client_id text,
    scope text,
    status device_code_status DEFAULT 'pending' NOT NULL,
    expires_at timestamp NOT NULL,
    last_polled_at timestamp,
    polling_interval integer,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT device_code_pkey PRIMARY KEY (id),
    CONSTRAINT device_code_device_code_unique UNIQUE (device_code),
    CONSTRAINT device_code_user_code_unique UNIQUE (user_code),
    CONSTRAINT device_code_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE SET NULL
);

CREATE TABLE email_otp (
    id text DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    otp_code text NOT NULL,
    expires_at timestamp NOT NULL,
    used boolean DEFAULT false NOT NULL,
    verified boolean DEFAULT false NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT email_otp_pkey PRIMARY KEY (id),
    CONSTRAINT email_otp_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE feature_vote (
    id text DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    feature_type feature_type NOT NULL,
    feature_key text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT feature_vote_pkey PRIMARY KEY (id),
    CONSTRAINT feature_vote_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX feature_vote_user_feature_type_idx ON feature_vote (user_id, feature_type);

CREATE TABLE invitation (
    id text NOT NULL,
    email text NOT NULL,
    inviter_id text NOT NULL,
    organization_id text NOT NULL,
    role text DEFAULT 'member' NOT NULL,
    status org_invitation_status DEFAULT 'pending' NOT NULL,
    expires_at timestamp NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT invitation_pkey PRIMARY KEY (id),
    CONSTRAINT invitation_inviter_id_user_id_fk FOREIGN KEY (inviter_id)
        REFERENCES "user" (id) ON DELETE CASCADE,
    CONSTRAINT invitation_organization_id_organization_id_fk FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE
);
CREATE INDEX invitation_org_id_idx ON invitation (organization_id);
CREATE INDEX invitation_email_idx ON invitation (email);

CREATE TABLE invite (
    id text DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    token_hash text NOT NULL,
    expires_at timestamp DEFAULT now() NOT NULL,
    used_at timestamp,
    created_at timestamp DEFAULT now() NOT NULL,
    used_by_user_id text,
    CONSTRAINT invite_pkey PRIMARY KEY (id),
    CONSTRAINT invite_token_hash_unique UNIQUE (token_hash),
    CONSTRAINT invite_used_by_user_id_user_id_fk FOREIGN KEY (used_by_user_id)
        REFERENCES "user" (id) ON DELETE SET NULL
);

CREATE TABLE member (
    id text NOT NULL,
    user_id text NOT NULL,
    organization_id text NOT NULL,
    role text DEFAULT 'member' NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT member_pkey PRIMARY KEY (id),
    CONSTRAINT member_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE,
    CONSTRAINT member_organization_id_organization_id_fk FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX member_org_user_idx ON member (organization_id, user_id);
CREATE INDEX member_user_id_idx ON member (user_id);
CREATE INDEX member_org_id_idx ON member (organization_id);

CREATE TABLE moderation_flags (
    id text DEFAULT gen_random_uuid() NOT NULL,
    content_type moderation_content_type NOT NULL,
    content_id text NOT NULL,
    reason text NOT NULL,
    flagged_text text,
    reporter_id text,
    status moderation_status DEFAULT 'pending' NOT NULL,
    reviewed_by text,
    reviewed_at timestamp,
    review_notes text,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT moderation_flags_pkey PRIMARY KEY (id),
    CONSTRAINT moderation_flags_reporter_id_user_id_fk FOREIGN KEY (reporter_id)
        REFERENCES "user" (id) ON DELETE SET NULL,
    CONSTRAINT moderation_flags_reviewed_by_user_id_fk FOREIGN KEY (reviewed_by)
        REFERENCES "user" (id) ON DELETE SET NULL
);
CREATE INDEX moderation_flags_status_idx ON moderation_flags (status);
CREATE INDEX moderation_flags_content_type_idx ON moderation_flags (content_type);
CREATE INDEX moderation_flags_content_id_idx ON moderation_flags (content_id);
CREATE INDEX moderation_flags_created_at_idx ON moderation_flags (created_at);
CREATE INDEX moderation_flags_reporter_id_idx ON moderation_flags (reporter_id);

CREATE TABLE notification (
    id text DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    type notification_type NOT NULL,
    title text NOT NULL,
    message text NOT NULL,
    data jsonb,
    read boolean DEFAULT false NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT notification_pkey PRIMARY KEY (id),
    CONSTRAINT notification_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);
CREATE INDEX notification_user_id_idx ON notification (user_id);
CREATE INDEX notification_read_idx ON notification (read);
CREATE INDEX notification_type_idx ON notification (type);
CREATE INDEX notification_created_at_idx ON notification (created_at);

CREATE TABLE onboarding_coupon (
    id text DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    code text NOT NULL,
    used boolean DEFAULT false NOT NULL,
    expires_at timestamp,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT onboarding_coupon_pkey PRIMARY KEY (id),
    CONSTRAINT onboarding_coupon_user_id_unique UNIQUE (user_id),
    CONSTRAINT onboarding_coupon_code_unique UNIQUE (code),
    CONSTRAINT onboarding_coupon_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE onboarding_state (
    id text DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    completed_step_1 boolean DEFAULT false NOT NULL,
    completed_step_2 boolean DEFAULT false NOT NULL,
    completed_step_3 boolean DEFAULT false NOT NULL,
    completed_step_4 boolean DEFAULT false NOT NULL,
    source text,
    claimed_waitlist_discount boolean DEFAULT false NOT NULL,
    connected_tools boolean DEFAULT false NOT NULL,
    setup_payouts boolean DEFAULT false NOT NULL,
    created_bounty boolean DEFAULT false NOT NULL,
    invited_member boolean DEFAULT false NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT onboarding_state_pkey PRIMARY KEY (id),
    CONSTRAINT onboarding_state_user_id_unique UNIQUE (user_id),
    CONSTRAINT onboarding_state_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE passkey (
    id text NOT NULL,
    name text,
    "publicKey" text NOT NULL,
    "userId" text NOT NULL,
    "credentialID" text NOT NULL,
    counter integer NOT NULL,
    "deviceType" text NOT NULL,
    "backedUp" boolean NOT NULL,
    transports text NOT NULL,
    "createdAt" timestamp DEFAULT now() NOT NULL,
    "updatedAt" timestamp DEFAULT now() NOT NULL,
    aaguid text,
    CONSTRAINT passkey_pkey PRIMARY KEY (id),
    CONSTRAINT "passkey_userId_user_id_fk" FOREIGN KEY ("userId")
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE session (
    id text NOT NULL,
    expires_at timestamp NOT NULL,
    token text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    ip_address text,
    user_agent text,
    user_id text NOT NULL,
    impersonated_by text,
    active_organization_id text,
    CONSTRAINT session_pkey PRIMARY KEY (id),
    CONSTRAINT session_token_unique UNIQUE (token),
    CONSTRAINT session_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE user_profile (
    id text DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    bio text,
    location text,
    website text,
    github_username text,
    twitter_username text,
    linkedin_url text,
    skills text[],
    preferred_languages text[],
    hourly_rate numeric(10,2),
    currency text DEFAULT 'USD',
    timezone text,
    available_for_work boolean DEFAULT true,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT user_profile_pkey PRIMARY KEY (id),
    CONSTRAINT user_profile_user_id_unique UNIQUE (user_id),
    CONSTRAINT user_profile_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE user_reputation (
    id text DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    total_earned numeric(12,2) DEFAULT 0.00,
    bounties_completed integer DEFAULT 0,
    bounties_created integer DEFAULT 0,
    average_rating numeric(3,2) DEFAULT 0.00,
    total_ratings integer DEFAULT 0,
    success_rate numeric(5,2) DEFAULT 0.00,
    response_time integer,
    completion_rate numeric(5,2) DEFAULT 0.00,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT user_reputation_pkey PRIMARY KEY (id),
    CONSTRAINT user_reputation_user_id_unique UNIQUE (user_id),
    CONSTRAINT user_reputation_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE waitlist (
    id text DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    ip_address text,
    otp_code text,
    otp_expires_at timestamp,
    otp_attempts integer DEFAULT 0 NOT NULL,
    email_verified boolean DEFAULT false NOT NULL,
    access_token text,
    access_granted_at timestamp,
    bounty_title text,
    bounty_description text,
    bounty_amount text,
    bounty_deadline timestamp,
    bounty_github_issue_url text,
    user_id text,
    position integer,
    CONSTRAINT waitlist_pkey PRIMARY KEY (id),
    CONSTRAINT waitlist_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE SET NULL
);

CREATE TABLE bounty_application (
    id text DEFAULT gen_random_uuid() NOT NULL,
    bounty_id text NOT NULL,
    applicant_id text NOT NULL,
    message text NOT NULL,
    is_accepted boolean DEFAULT false,
    applied_at timestamp DEFAULT now() NOT NULL,
    responded_at timestamp,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT bounty_application_pkey PRIMARY KEY (id),
    CONSTRAINT bounty_application_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE,
    CONSTRAINT bounty_application_applicant_id_user_id_fk FOREIGN KEY (applicant_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE bounty_bookmark (
    id text DEFAULT gen_random_uuid() NOT NULL,
    bounty_id text NOT NULL,
    user_id text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT bounty_bookmark_pkey PRIMARY KEY (id),
    CONSTRAINT bounty_bookmark_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE,
    CONSTRAINT bounty_bookmark_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX bounty_bookmark_unique_idx ON bounty_bookmark (bounty_id, user_id);
CREATE INDEX bounty_bookmark_bounty_id_idx ON bounty_bookmark (bounty_id);
CREATE INDEX bounty_bookmark_user_id_idx ON bounty_bookmark (user_id);

CREATE TABLE bounty_comment (
    id text DEFAULT gen_random_uuid() NOT NULL,
    bounty_id text NOT NULL,
    user_id text NOT NULL,
    parent_id text,
    content text NOT NULL,
    original_content text,
    edit_count integer DEFAULT 0 NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT bounty_comment_pkey PRIMARY KEY (id),
    CONSTRAINT bounty_comment_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE,
    CONSTRAINT bounty_comment_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE,
    CONSTRAINT bounty_comment_parent_id_bounty_comment_id_fk FOREIGN KEY (parent_id)
        REFERENCES bounty_comment (id) ON DELETE CASCADE
);
CREATE INDEX bounty_comment_bounty_id_idx ON bounty_comment (bounty_id);
CREATE INDEX bounty_comment_user_id_idx ON bounty_comment (user_id);
CREATE INDEX bounty_comment_parent_id_idx ON bounty_comment (parent_id);

CREATE TABLE bounty_links (
    id text DEFAULT gen_random_uuid() NOT NULL,
    bounty_id text NOT NULL,
    url text NOT NULL,
    domain text NOT NULL,
    display_text text NOT NULL,
    is_github boolean DEFAULT false NOT NULL,
    github_owner text,
    github_repo text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT bounty_links_pkey PRIMARY KEY (id),
    CONSTRAINT bounty_links_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE
);
CREATE INDEX bounty_links_bounty_id_idx ON bounty_links (bounty_id);

CREATE TABLE bounty_vote (
    id text DEFAULT gen_random_uuid() NOT NULL,
    bounty_id text NOT NULL,
    user_id text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT bounty_vote_pkey PRIMARY KEY (id),
    CONSTRAINT bounty_vote_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE,
    CONSTRAINT bounty_vote_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX bounty_vote_unique_idx ON bounty_vote (bounty_id, user_id);
CREATE INDEX bounty_vote_bounty_id_idx ON bounty_vote (bounty_id);
CREATE INDEX bounty_vote_user_id_idx ON bounty_vote (user_id);

CREATE TABLE cancellation_request (
    id text DEFAULT gen_random_uuid() NOT NULL,
    bounty_id text NOT NULL,
    requested_by_id text NOT NULL,
    reason text,
    status cancellation_request_status DEFAULT 'pending' NOT NULL,
    processed_by_id text,
    processed_at timestamp,
    refund_amount numeric(15,2),
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT cancellation_request_pkey PRIMARY KEY (id),
    CONSTRAINT cancellation_request_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE,
    CONSTRAINT cancellation_request_requested_by_id_user_id_fk FOREIGN KEY (requested_by_id)
        REFERENCES "user" (id) ON DELETE CASCADE,
    CONSTRAINT cancellation_request_processed_by_id_user_id_fk FOREIGN KEY (processed_by_id)
        REFERENCES "user" (id) ON DELETE SET NULL
);
CREATE INDEX cancellation_request_bounty_id_idx ON cancellation_request (bounty_id);
CREATE INDEX cancellation_request_status_idx ON cancellation_request (status);

CREATE TABLE github_installation (
    id text DEFAULT gen_random_uuid() NOT NULL,
    github_installation_id integer NOT NULL,
    github_account_id text,
    repository_ids text[],
    account_login text,
    account_type text,
    account_avatar_url text,
    is_default boolean DEFAULT false NOT NULL,
    suspended_at timestamp,
    organization_id text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT github_installation_pkey PRIMARY KEY (id),
    CONSTRAINT github_installation_github_installation_id_unique UNIQUE (github_installation_id),
    CONSTRAINT github_installation_github_account_id_account_id_fk FOREIGN KEY (github_account_id)
        REFERENCES account (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX github_installation_unique_idx ON github_installation (github_installation_id);
CREATE INDEX github_installation_account_id_idx ON github_installation (github_account_id);

CREATE TABLE linear_account (
    id text DEFAULT gen_random_uuid() NOT NULL,
    account_id text NOT NULL,
    linear_user_id text NOT NULL,
    linear_workspace_id text NOT NULL,
    linear_workspace_name text NOT NULL,
    linear_workspace_url text,
    linear_workspace_key text,
    is_active boolean DEFAULT true NOT NULL,
    organization_id text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT linear_account_pkey PRIMARY KEY (id),
    CONSTRAINT linear_account_account_id_account_id_fk FOREIGN KEY (account_id)
        REFERENCES account (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX linear_account_workspace_idx
    ON linear_account (account_id, linear_workspace_id);
CREATE INDEX linear_account_user_idx ON linear_account (linear_user_id);
CREATE INDEX linear_account_workspace_id_idx ON linear_account (linear_workspace_id);

CREATE TABLE payout (
    id text DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    bounty_id text NOT NULL,
    amount numeric(15,2) NOT NULL,
    status payout_status DEFAULT 'pending' NOT NULL,
    stripe_transfer_id text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT payout_pkey PRIMARY KEY (id),
    CONSTRAINT payout_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE,
    CONSTRAINT payout_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE
);
CREATE INDEX payout_user_id_idx ON payout (user_id);
CREATE INDEX payout_bounty_id_idx ON payout (bounty_id);
CREATE INDEX payout_stripe_transfer_id_idx ON payout (stripe_transfer_id);

CREATE TABLE submission (
    id text DEFAULT gen_random_uuid() NOT NULL,
    bounty_id text NOT NULL,
    contributor_id text NOT NULL,
    description text NOT NULL,
    deliverable_url text NOT NULL,
    pull_request_url text,
    github_pull_request_number integer,
    github_pull_request_id bigint,
    github_comment_id bigint,
    github_username text,
    github_head_sha text,
    pull_request_title text,
    status submission_status DEFAULT 'pending' NOT NULL,
    review_notes text,
    submitted_at timestamp DEFAULT now() NOT NULL,
    reviewed_at timestamp,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT submission_pkey PRIMARY KEY (id),
    CONSTRAINT submission_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE,
    CONSTRAINT submission_contributor_id_user_id_fk FOREIGN KEY (contributor_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE TABLE transaction (
    id text DEFAULT gen_random_uuid() NOT NULL,
    bounty_id text NOT NULL,
    type transaction_type NOT NULL,
    amount numeric(15,2) NOT NULL,
    stripe_id text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT transaction_pkey PRIMARY KEY (id),
    CONSTRAINT transaction_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE
);
CREATE INDEX transaction_bounty_id_idx ON transaction (bounty_id);
CREATE INDEX transaction_stripe_id_idx ON transaction (stripe_id);

CREATE TABLE user_rating (
    id text DEFAULT gen_random_uuid() NOT NULL,
    rated_user_id text NOT NULL,
    rater_user_id text NOT NULL,
    bounty_id text NOT NULL,
    rating integer NOT NULL,
    comment text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT user_rating_pkey PRIMARY KEY (id),
    CONSTRAINT user_rating_rated_user_id_user_id_fk FOREIGN KEY (rated_user_id)
        REFERENCES "user" (id) ON DELETE CASCADE,
    CONSTRAINT user_rating_rater_user_id_user_id_fk FOREIGN KEY (rater_user_id)
        REFERENCES "user" (id) ON DELETE CASCADE,
    CONSTRAINT user_rating_bounty_id_bounty_id_fk FOREIGN KEY (bounty_id)
        REFERENCES bounty (id) ON DELETE CASCADE
);

CREATE TABLE bounty_comment_like (
    id text DEFAULT gen_random_uuid() NOT NULL,
    comment_id text NOT NULL,
    user_id text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    CONSTRAINT bounty_comment_like_pkey PRIMARY KEY (id),
    CONSTRAINT bounty_comment_like_comment_id_bounty_comment_id_fk FOREIGN KEY (comment_id)
        REFERENCES bounty_comment (id) ON DELETE CASCADE,
    CONSTRAINT bounty_comment_like_user_id_user_id_fk FOREIGN KEY (user_id)
        REFERENCES "user" (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX bounty_comment_like_unique_idx ON bounty_comment_like (comment_id, user_id);
CREATE INDEX bounty_comment_like_comment_id_idx ON bounty_comment_like (comment_id);
CREATE INDEX bounty_comment_like_user_id_idx ON bounty_comment_like (user_id);
