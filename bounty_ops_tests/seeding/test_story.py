"""What the sample data tells hangs together, and looks like what people really write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.seeding.facts import facts

if TYPE_CHECKING:
    from bounty_ops_tests.seeding.conftest import Seeded

#: Each query counts what must not be.
_CONTRADICTIONS = {
    "a completed bounty has an approved submission by whom it is assigned to": """
        SELECT count(*) FROM bounty b WHERE status = 'completed' AND NOT EXISTS (
            SELECT FROM submission s WHERE s.bounty_id = b.id AND s.status = 'approved'
                AND s.contributor_id = b.assigned_to_id AND s.reviewed_at <= b.updated_at)""",
    "only a completed bounty has an approved submission": """
        SELECT count(*) FROM submission s JOIN bounty b ON b.id = s.bounty_id
        WHERE s.status = 'approved' AND b.status <> 'completed'""",
    "payouts go to who completed the bounty": """
        SELECT count(*) FROM payout p JOIN bounty b ON b.id = p.bounty_id
        WHERE b.status <> 'completed' OR p.user_id <> b.assigned_to_id OR p.amount > b.amount""",
    "a bounty is paid out once": """
        SELECT count(*) FROM (SELECT FROM payout WHERE status = 'completed'
            GROUP BY bounty_id HAVING count(*) > 1) twice""",
    "nobody works for himself": """
        SELECT count(*) FROM bounty WHERE assigned_to_id = created_by_id""",
    "nobody submits to his own bounty": """
        SELECT count(*) FROM submission s JOIN bounty b ON b.id = s.bounty_id
        WHERE s.contributor_id = b.created_by_id""",
    "nobody applies twice, or to his own bounty": """
        SELECT count(*) FROM bounty_application a JOIN bounty b ON b.id = a.bounty_id
        WHERE a.applicant_id = b.created_by_id OR EXISTS (
            SELECT FROM bounty_application o WHERE o.bounty_id = a.bounty_id
                AND o.applicant_id = a.applicant_id AND o.id <> a.id)""",
    "an accepted applicant works on the bounty": """
        SELECT count(*) FROM bounty_application a JOIN bounty b ON b.id = a.bounty_id
        WHERE a.is_accepted AND a.applicant_id IS DISTINCT FROM b.assigned_to_id""",
    "nobody reacts to a draft": """
        SELECT count(*) FROM bounty b WHERE status = 'draft' AND (
            EXISTS (SELECT FROM bounty_vote v WHERE v.bounty_id = b.id)
            OR EXISTS (SELECT FROM bounty_comment c WHERE c.bounty_id = b.id)
            OR EXISTS (SELECT FROM submission s WHERE s.bounty_id = b.id))""",
    "an answer stands under the same bounty, after what it answers": """
        SELECT count(*) FROM bounty_comment c JOIN bounty_comment p ON p.id = c.parent_id
        WHERE p.bounty_id <> c.bounty_id OR p.created_at > c.created_at""",
    "a comment that was edited keeps what it said": """
        SELECT count(*) FROM bounty_comment
        WHERE (edit_count > 0) <> (original_content IS NOT NULL)""",
    "reactions come after what they react to": """
        SELECT count(*) FROM bounty_vote v JOIN bounty b ON b.id = v.bounty_id
        JOIN "user" u ON u.id = v.user_id
        WHERE v.created_at < b.created_at OR v.created_at < u.created_at""",
    "an organization has exactly one owner at first": """
        SELECT count(*) FROM organization o WHERE (SELECT count(*) FROM member m
            WHERE m.organization_id = o.id AND m.role = 'owner') <> 1""",
    "a personal organization has one member": """
        SELECT count(*) FROM organization o WHERE is_personal AND (SELECT count(*) FROM member m
            WHERE m.organization_id = o.id) <> 1""",
    "a session works in an organization of its user": """
        SELECT count(*) FROM session s WHERE active_organization_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM member m WHERE m.organization_id = s.active_organization_id
                AND m.user_id = s.user_id)""",
    "only an administrator acts for somebody else": """
        SELECT count(*) FROM session s JOIN "user" u ON u.id = s.impersonated_by
        WHERE u.role <> 'admin' OR s.user_id = u.id""",
    "a bounty's GitHub installation is its creator's": """
        SELECT count(*) FROM bounty b
        JOIN github_installation i USING (github_installation_id)
        JOIN account a ON a.id = i.github_account_id WHERE a.user_id <> b.created_by_id""",
    "installations hang on GitHub accounts, workspaces on Linear's": """
        SELECT (SELECT count(*) FROM github_installation i JOIN account a
                ON a.id = i.github_account_id WHERE a.provider_id <> 'github')
             + (SELECT count(*) FROM linear_account l JOIN account a
                ON a.id = l.account_id WHERE a.provider_id <> 'linear')""",
    "reputation is what payouts, bounties and ratings say": """
        SELECT count(*) FROM user_reputation r WHERE
            total_earned <> (SELECT coalesce(sum(amount), 0) FROM payout p
                WHERE p.user_id = r.user_id AND p.status = 'completed')
            OR bounties_created <> (SELECT count(*) FROM bounty b
                WHERE b.created_by_id = r.user_id)
            OR bounties_completed <> (SELECT count(*) FROM bounty b
                WHERE b.assigned_to_id = r.user_id AND b.status = 'completed')
            OR total_ratings <> (SELECT count(*) FROM user_rating t
                WHERE t.rated_user_id = r.user_id)""",
    "refunds belong to cancelled bounties, transfers to completed ones": """
        SELECT count(*) FROM transaction t JOIN bounty b ON b.id = t.bounty_id
        WHERE (t.type = 'refund' AND b.status <> 'cancelled')
            OR (t.type IN ('transfer', 'payout') AND b.status <> 'completed')""",
    "an approved cancellation cancelled its bounty": """
        SELECT count(*) FROM cancellation_request c JOIN bounty b ON b.id = c.bounty_id
        WHERE c.status = 'approved' AND b.status <> 'cancelled'""",
    "news tell of what there is": """
        SELECT count(*) FROM notification n WHERE
            (data ? 'bountyId' AND NOT EXISTS (SELECT FROM bounty b
                WHERE b.id = n.data ->> 'bountyId'))
            OR (data ? 'commentId' AND NOT EXISTS (SELECT FROM bounty_comment c
                WHERE c.id = n.data ->> 'commentId' AND c.bounty_id = n.data ->> 'bountyId'))
            OR (data ? 'submissionId' AND NOT EXISTS (SELECT FROM submission s
                WHERE s.id = n.data ->> 'submissionId' AND s.contributor_id = n.user_id
                    AND s.bounty_id = n.data ->> 'bountyId' AND s.status = 'approved'))""",
    "an administrator's event lasts thirty days": """
        SELECT count(*) FROM admin_events
        WHERE expires_at <> created_at + interval '30 days'""",
    "ratings are one to five stars": """
        SELECT count(*) FROM user_rating WHERE rating NOT BETWEEN 1 AND 5""",
    "rate limits remember milliseconds of the period": """
        SELECT count(*) FROM rate_limit WHERE to_timestamp(last_request / 1000.0)
            NOT BETWEEN '2023-12-31Z' AND '2026-01-02Z'""",
    "nobody was asked to verify before he was let in": """
        SELECT count(*) FROM invite WHERE (used_at IS NULL) <> (used_by_user_id IS NULL)
            OR used_at NOT BETWEEN created_at AND expires_at""",
}


@pytest.mark.parametrize("rule", _CONTRADICTIONS)
def test_the_tables_do_not_contradict_each_other(seeded: Seeded, rule: str) -> None:
    assert seeded.count(_CONTRADICTIONS[rule]) == 0


def test_nothing_is_changed_or_expires_before_it_was_made_or_made_after_the_end(
    seeded: Seeded,
) -> None:
    checked = 0
    for table, fact in facts()["tables"].items():
        names = {column["name"] for column in fact["columns"]}
        for made, changed in (
            ("created_at", "updated_at"),
            ("createdAt", "updatedAt"),
            ("created_at", "expires_at"),
            ("created_at", "reviewed_at"),
            ("created_at", "processed_at"),
            ("applied_at", "responded_at"),
            ("submitted_at", "reviewed_at"),
        ):
            if {made, changed} <= names:
                checked += 1
                assert not seeded.count(
                    f'SELECT count(*) FROM "{table}" WHERE "{changed}" < "{made}" '
                    f"OR \"{made}\" NOT BETWEEN '2023-12-25' AND '2026-01-01'"
                ), f"{table}.{changed}"
    assert checked > 30


#: People wait, and are invited, before they are users.
_EARLIER_THAN_ITS_USER = {"waitlist", "invite"}


def test_nothing_is_older_than_what_it_refers_to(seeded: Seeded) -> None:
    checked = 0
    for table, fact in facts()["tables"].items():
        names = {column["name"] for column in fact["columns"]}
        made = "createdAt" if "createdAt" in names else "created_at"
        if table in _EARLIER_THAN_ITS_USER:
            continue
        for key in fact["foreign_keys"]:
            (column,), parent = key["columns"], key["ref_table"]
            checked += 1
            assert not seeded.count(
                f'SELECT count(*) FROM "{table}" c JOIN "{parent}" p ON p.id = c."{column}" '
                f'WHERE c."{made}" < p.created_at'
            ), f"{table}.{column}"
    assert checked == 48


def test_a_few_users_own_many_bounties(seeded: Seeded) -> None:
    users = seeded.count('SELECT count(*) FROM "user"')
    bounties = seeded.count("SELECT count(*) FROM bounty")
    top = seeded.count(
        "SELECT sum(n)::bigint FROM (SELECT count(*) AS n FROM bounty GROUP BY created_by_id "
        f"ORDER BY n DESC LIMIT {users // 10}) top"
    )
    assert top > 0.4 * bounties
    none = seeded.count(
        'SELECT count(*) FROM "user" u WHERE NOT EXISTS '
        "(SELECT FROM bounty b WHERE b.created_by_id = u.id)"
    )
    assert none > 0.3 * users


def test_a_few_bounties_get_most_of_the_votes(seeded: Seeded) -> None:
    votes = seeded.count("SELECT count(*) FROM bounty_vote")
    most = seeded.count(
        "SELECT sum(n)::bigint FROM (SELECT count(*) AS n FROM bounty_vote GROUP BY bounty_id "
        "ORDER BY n DESC LIMIT 30) top"
    )
    assert most > 0.25 * votes


def test_nearly_every_nullable_column_is_null_somewhere_and_filled_elsewhere(
    seeded: Seeded,
) -> None:
    never_null, always_null = set(), set()
    for table, fact in facts()["tables"].items():
        for column in fact["columns"]:
            if not column["nullable"]:
                continue
            name = f"{table}.{column['name']}"
            if seeded.count(f'SELECT count("{column["name"]}") FROM "{table}"') == 0:
                always_null.add(name)
            if not seeded.count(f'SELECT count(*) FROM "{table}" WHERE "{column["name"]}" IS NULL'):
                never_null.add(name)
    assert always_null == set()
    assert never_null == {
        "user_reputation.total_earned",
        "user_reputation.bounties_completed",
        "user_reputation.bounties_created",
        "user_reputation.average_rating",
        "user_reputation.total_ratings",
        "user_reputation.success_rate",
        "user_reputation.completion_rate",
    }


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("emoji outside the basic plane", "[\\U0001F300-\\U0001FAFF]"),
        ("right-to-left script", "[\\u0590-\\u06FF]"),
        ("combining marks", "[\\u0300-\\u036F]"),
        ("CJK", "[\\u4E00-\\u9FFF]"),
        ("joined emoji", "\\u200D"),
        ("a tab", "\\t"),
        ("a line end", "\\r\\n"),
        ("a backslash", "\\\\"),
    ],
)
def test_texts_hold_what_breaks_careless_tools(seeded: Seeded, what: str, pattern: str) -> None:
    found = seeded.count(f"SELECT count(*) FROM bounty_comment WHERE content ~ '{pattern}'")
    assert found > 0, what


def test_names_are_written_in_many_scripts(seeded: Seeded) -> None:
    for pattern in ("[\\u0590-\\u06FF]", "[\\u4E00-\\u9FFF]", "[\\u0400-\\u04FF]"):
        assert seeded.count(f"SELECT count(*) FROM \"user\" WHERE name ~ '{pattern}'") > 0


def test_some_texts_are_long_enough_to_leave_their_row(seeded: Seeded) -> None:
    assert seeded.count("SELECT max(octet_length(description)) FROM bounty") > 8192
    toasted = seeded.count(
        "SELECT sum(pg_relation_size(reltoastrelid))::bigint FROM pg_class "
        "WHERE relname IN ('bounty', 'submission')"
    )
    assert toasted > 0


def test_jsonb_holds_objects_nested_ones_too(seeded: Seeded) -> None:
    for table, column in (("notification", "data"), ("admin_events", "metadata")):
        assert not seeded.count(
            f"SELECT count(*) FROM {table} WHERE jsonb_typeof({column}) <> 'object'"
        )
        assert seeded.count(f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL") > 100
    assert seeded.count(
        "SELECT count(*) FROM admin_events WHERE metadata #> '{client,flags}' IS NOT NULL"
    )


def test_moments_have_microseconds(seeded: Seeded) -> None:
    assert (
        seeded.count(
            "SELECT count(DISTINCT extract(microseconds FROM created_at)::bigint % 1000) "
            "FROM session"
        )
        > 500
    )
