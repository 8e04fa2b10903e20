"""The words that sample data is made of: English mostly, some twenty other languages too.

They hold what breaks careless tools on purpose: right-to-left scripts, combining marks, emoji
outside the basic plane, and the characters that COPY, SQL, JSON and HTML give a meaning to.
Mail domains are the reserved ones of RFC 2606, addresses those of RFC 5737 and RFC 3849, so that
no mail and no packet that somebody sends by mistake can reach anybody.
"""

from __future__ import annotations

from typing import Final

SENTENCES: Final[tuple[str, ...]] = (
    "Ship it 🚀",
    "Works on my machine 🤷🏽‍♀️, fails in CI 😭",
    "The flag 🏳️‍🌈 and the family 👨‍👩‍👧‍👦 must each count as one character.",
    "مرحبا، يفشل الاختبار عند تشغيله على الخادم.",
    "הבדיקה נכשלת כשהשם כתוב מימין לשמאל (RTL).",
    "このバグは月曜日の朝だけ再現します。",
    "请在提交之前运行全部测试。",
    "테스트가 통과하면 병합하겠습니다.",
    "Перевірте, будь ласка, чи не зникає символ «ґ».",
    "Größe, Straße, Übermut: sortiert das richtig?",
    "La fe\u0302te a\u0300 la plage, en forme de\u0301compose\u0301e.",
    "Çok güzel, İstanbul'dan selamlar.",
    "यह त्रुटि केवल मोबाइल पर दिखती है।",
    "Z\u0351\u036b\u0343\u036a\u0302a\u0323\u035el\u0311g\u0334\u0319o was here",
    "The path is C:\\Users\\dev\\bounty, with backslashes: \\N, \\. and \\t are not escapes.",
    'A tab\tand a "quoted" word, it\'s 100% safe; -- no comment',
    "'; DROP TABLE bounty; --",
    "<script>alert('no')</script> &amp; {\"json\": [1, null]}",
    "NULL",
    "\\.",
    "Zero\u200bwidth, non\u00a0breaking, and a left-to-right mark\u200e.",
    "Line one\nline two\r\nline three",
)

OPENINGS: Final[tuple[str, ...]] = (
    "The importer",
    "Our dashboard",
    "The webhook handler",
    "The payment form",
    "The mobile menu",
    "The search box",
    "A background job",
    "The sign-in page",
    "The invoice export",
    "The editor",
    "The notification feed",
    "The rate limiter",
    "The GitHub app",
    "The comment thread",
    "The onboarding tour",
    "The upload dialog",
)
TROUBLES: Final[tuple[str, ...]] = (
    "drops the last row",
    "times out after thirty seconds",
    "shows a stale total",
    "loses focus on every key",
    "counts deleted records",
    "ignores the time zone",
    "crashes on an empty list",
    "retries for ever",
    "renders twice",
    "leaks a connection",
    "forgets the selected filter",
    "rounds the amount wrongly",
    "breaks in dark mode",
    "accepts a date in the past",
    "sorts names by byte value",
    "sends the mail twice",
)
CONDITIONS: Final[tuple[str, ...]] = (
    "when the list is long",
    "on Safari only",
    "after a deployment",
    "for new users",
    "if two tabs are open",
    "behind a proxy",
    "under load",
    "on the first of the month",
    "when the network is slow",
    "with more than ten tags",
    "for accounts without a handle",
    "right after midnight",
    "when JavaScript is off",
    "for right-to-left languages",
)
REQUESTS: Final[tuple[str, ...]] = (
    "Please add a test that fails before the change.",
    "A small pull request is enough.",
    "Keep the public interface as it is.",
    "Screenshots are welcome.",
    "We would rather delete code than add any.",
    "The acceptance criteria are below.",
    "Ask before you add a dependency.",
    "It has to work without JavaScript.",
    "Benchmarks before and after, please.",
    "Documentation is part of the task.",
)
TITLE_VERBS: Final[tuple[str, ...]] = (
    "Fix",
    "Add",
    "Speed up",
    "Document",
    "Remove",
    "Rewrite",
    "Test",
    "Translate",
    "Redesign",
    "Migrate",
    "Investigate",
    "Harden",
)
TITLE_THINGS: Final[tuple[str, ...]] = (
    "dark mode",
    "the CSV export",
    "OAuth callbacks",
    "pagination",
    "the WebSocket client",
    "keyboard navigation",
    "date parsing",
    "the billing page",
    "image uploads",
    "rate limiting",
    "search ranking",
    "the Docker image",
    "e-mail templates",
    "the plugin system",
    "right-to-left layout",
    "emoji reactions 🎉",
    "the façade of the café example",
    "中文 fonts",
)
TITLE_PLACES: Final[tuple[str, ...]] = (
    "in the dashboard",
    "for mobile",
    "on Windows",
    "in the command line",
    "for the public API",
    "in the settings",
    "for teams",
    "under Node 22",
    "on the landing page",
    "in the docs",
)
REVIEWS: Final[tuple[str, ...]] = (
    "Clean work, thank you.",
    "Please rebase and run the formatter.",
    "Does not build for me.",
    "The test passes without the change.",
    "Exactly what I asked for 🙌",
    "Too large to review.",
    "Answers within an hour, would work with again.",
    "Missed the second acceptance criterion.",
)

HANDLE_FIRST: Final[tuple[str, ...]] = (
    "quiet",
    "brave",
    "amber",
    "rapid",
    "lunar",
    "mossy",
    "salty",
    "vivid",
    "north",
    "paper",
)
HANDLE_SECOND: Final[tuple[str, ...]] = (
    "otter",
    "falcon",
    "lantern",
    "kernel",
    "harbor",
    "pixel",
    "willow",
    "comet",
    "badger",
    "loop",
)
PROJECTS: Final[tuple[str, ...]] = (
    "harbor",
    "lanternfish",
    "tinyqueue",
    "papertrail",
    "mossgarden",
    "openledger",
    "cloudberry",
    "nightwatch",
    "fastlane",
    "driftwood",
    "pocketdb",
    "sundial",
)
TAGS: Final[tuple[str, ...]] = (
    "typescript",
    "python",
    "rust",
    "postgres",
    "react",
    "docs",
    "design",
    "good first issue",
    "bug",
    "performance",
    "a11y",
    "i18n 🌍",
    "comma, in a tag",
    'a "quoted" tag',
    "back\\slash",
    "NULL",
)
LOCATIONS: Final[tuple[str, ...]] = (
    "Berlin",
    "São Paulo",
    "Lagos",
    "東京",
    "القاهرة",
    "Kraków",
    "Toronto",
    "Bengaluru",
    "Remote 🌴",
    "תל אביב",
    "Reykjavík",
    "Montevideo",
)
TIMEZONES: Final[tuple[str, ...]] = (
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Africa/Lagos",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "America/New_York",
    "Australia/Sydney",
)
COUNTRIES: Final[tuple[tuple[str, str, str], ...]] = (
    ("DE", "Berlin", "Berlin"),
    ("BR", "São Paulo", "São Paulo"),
    ("US", "California", "Fresno"),
    ("JP", "東京都", "新宿区"),
    ("NG", "Lagos", "Ikeja"),
    ("IN", "Karnataka", "Bengaluru"),
    ("PL", "Małopolskie", "Kraków"),
    ("EG", "القاهرة", "مدينة نصر"),
)
USER_AGENTS: Final[tuple[str, ...]] = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.1 Safari/605.1.15"
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36"
    ),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "bounty-cli/0.4.1",
)
MAIL_DOMAINS: Final[tuple[str, ...]] = (
    "example.com",
    "example.org",
    "example.net",
    "mail.example.com",
    "dev.example.org",
)
