"""The rules for Bounty's own tables. A new column of theirs that stands nowhere here is reported.

Ids stay, so that everything still refers to everything. What people wrote, what they are called,
where they are and what opens their accounts goes.
"""

from __future__ import annotations

from typing import Final

#: Table, then `column rule` for each column of text or JSON.
_RULES: Final = {
    "account": "account_id token, provider_id keep, access_token token, refresh_token token, "
    "id_token token, scope keep, password null",
    "admin_events": "target_id keep, description text, metadata json, ip_address ip, "
    "country null, region null, city null",
    "beta_application": "name name, twitter handle, project_name text, project_link url, "
    "description text, review_notes text",
    "bounty": "title keep, description text, currency keep, tags keep, repository_url url, "
    "issue_url url, linear_account_id keep, github_repo_owner handle, github_repo_name keep, "
    "linear_issue_id token, linear_issue_identifier keep, linear_issue_url url, "
    "linear_comment_id token, submission_keyword keep, stripe_payment_intent_id token, "
    "stripe_checkout_session_id token, stripe_transfer_id token",
    "bounty_application": "message text",
    "bounty_bookmark": "",
    "bounty_comment": "content text, original_content text",
    "bounty_comment_like": "",
    "bounty_links": "url url, domain keep, display_text text, github_owner handle, "
    "github_repo keep",
    "bounty_vote": "",
    "cancellation_request": "reason text",
    "device_code": "device_code token, user_code token, client_id keep, scope keep",
    "email_otp": "otp_code token",
    "feature_vote": "feature_key keep",
    "github_installation": "organization_id keep, repository_ids token, account_login handle, "
    "account_type keep, account_avatar_url url",
    "invitation": "email email, role keep",
    "invite": "email email, token_hash token",
    "linear_account": "organization_id keep, linear_user_id token, linear_workspace_id token, "
    "linear_workspace_name name, linear_workspace_url url, linear_workspace_key token",
    "member": "role keep",
    "moderation_flags": "content_id keep, reason text, flagged_text text, review_notes text",
    "notification": "title text, message text, data json",
    "oauth_state": "state token, provider keep, provider_id token",
    "onboarding_coupon": "code token",
    "onboarding_state": "source keep",
    "organization": "name name, slug handle, logo url, metadata text, stripe_customer_id token",
    "passkey": "name name, publicKey token, credentialID token, deviceType keep, "
    "transports keep, aaguid keep",
    "payout": "stripe_transfer_id token",
    "rate_limit": "key token",
    "session": "token token, ip_address ip, user_agent text, impersonated_by keep, "
    "active_organization_id keep",
    "submission": "description text, deliverable_url url, pull_request_url url, "
    "github_username handle, github_head_sha token, pull_request_title text, review_notes text",
    "transaction": "stripe_id token",
    "user": "name name, email email, image url, handle handle, role keep, ban_reason text, "
    "stripe_customer_id token, stripe_connect_account_id token, card_background keep",
    "user_profile": "bio text, location text, website url, github_username handle, "
    "twitter_username handle, linkedin_url url, skills keep, preferred_languages keep, "
    "currency keep, timezone keep",
    "user_rating": "comment text",
    "user_reputation": "",
    "verification": "identifier token, value token",
    "waitlist": "email email, ip_address ip, otp_code token, access_token token, "
    "bounty_title text, bounty_description text, bounty_amount keep, "
    "bounty_github_issue_url url",
}


def bounty_rules() -> dict[tuple[str, str, str], str]:
    """Schema, table and column, with the rule."""
    found = {}
    for table, text in _RULES.items():
        for item in filter(None, text.split(", ")):
            column, rule = item.split(" ")
            found["public", table, column] = rule
    return found


def bounty_tables() -> frozenset[tuple[str, str]]:
    """The tables that the rules speak of."""
    return frozenset(("public", table) for table in _RULES)
