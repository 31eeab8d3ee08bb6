"""Every setting of the process, from the environment, in one typed place.

What a user changes on the settings page (keys, language, zone …) is stored in the database instead: see
:mod:`core.preferences`. ``make settings-table`` prints the table of the README from this module.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

GIB = 1024**3
LONGEST_SOCKET_DIR = 107 - len("/.s.PGSQL.5432.lock")


class Settings(BaseSettings):
    """Settings of the process; each field's environment name is in its alias, its meaning in its description."""

    model_config = SettingsConfigDict(
        env_file=None, env_ignore_empty=True, extra="ignore", populate_by_name=True, frozen=True
    )

    data_dir: Path = Field(Path("data"), alias="STUDIO_DATA", description="folder of everything the studio stores")
    host: str = Field("127.0.0.1", alias="STUDIO_BIND", description="address to listen on")
    port: int = Field(8501, alias="STUDIO_PORT", description="port to listen on", ge=1, le=65535)
    hosts: Annotated[str, NoDecode] = Field(
        "", alias="STUDIO_HOSTS", description="further host names that may be asked for, separated by commas"
    )
    public_url: str = Field(
        "", alias="STUDIO_URL", description="address the studio has in a browser; empty: http://STUDIO_BIND:STUDIO_PORT"
    )
    oidc_discovery_url: str = Field(
        "", alias="OIDC_DISCOVERY_URL", description="identity provider's …/.well-known/openid-configuration"
    )
    oidc_client_id: str = Field("", alias="OIDC_CLIENT_ID", description="the studio's registration with the provider")
    oidc_client_secret: str = Field("", alias="OIDC_CLIENT_SECRET", description="the secret of that registration")
    oidc_name: str = Field("OpenID", alias="OIDC_NAME", description="the provider's name on the sign-in page")
    database_url: str = Field("", alias="DATABASE_URL", description="PostgreSQL 18; empty: an embedded server")
    redis_url: str = Field("", alias="REDIS_URL", description="Redis or Valkey; empty: an embedded server")
    ffmpeg_binary: str = Field("", alias="FFMPEG_BINARY", description="FFmpeg to run; empty: the one in imageio-ffmpeg")
    storage_url: str = Field(
        "",
        alias="STUDIO_STORAGE_URL",
        description="folder of the files (/path or file:///path); empty: assets in the data folder",
    )
    max_upload_bytes: int = Field(10 * GIB, alias="STUDIO_MAX_UPLOAD", description="largest upload in bytes")
    min_free_bytes: int = Field(GIB // 2, alias="STUDIO_MIN_FREE", description="disk space that is never filled, bytes")
    media_workers: int = Field(1, alias="STUDIO_MEDIA_WORKERS", description="how many renders run at once", ge=1, le=64)
    job_time_limit: int = Field(6 * 3600, alias="STUDIO_JOB_TIME_LIMIT", description="longest run of one job, seconds")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", alias="STUDIO_LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_json: bool = Field(False, alias="STUDIO_LOG_JSON", description="log lines as JSON objects")
    model_base_url: str = Field(
        "https://huggingface.co", alias="STUDIO_MODEL_BASE", description="where model downloads come from"
    )
    speech_api_base: str = Field(
        "https://api.openai.com/v1",
        alias="SPEECH_API_BASE",
        description="hosted speech to text: the address before /audio/transcriptions",
    )
    speech_api_model: str = Field(
        "whisper-1", alias="SPEECH_API_MODEL", description="hosted speech to text: a model that gives word times"
    )
    language_api_base: str = Field(
        "",
        alias="LANGUAGE_API_BASE",
        description="the advisor's language model: address before /chat/completions; the Settings page comes first",
    )
    language_api_model: str = Field("", alias="LANGUAGE_API_MODEL", description="that model's name there")
    language_api_key: str = Field("", alias="LANGUAGE_API_KEY", description="its key, where one is needed")
    speech_api_voice_model: str = Field(
        "tts-1", alias="SPEECH_API_VOICE_MODEL", description="hosted text to speech: a model of /audio/speech there"
    )
    speech_api_voices: str = Field(
        "alloy,ash,coral,echo,fable,nova,onyx,sage,shimmer",
        alias="SPEECH_API_VOICES",
        description="hosted text to speech: names of its voices, separated by commas",
    )
    runway_api_base: str = Field("https://api.dev.runwayml.com", alias="RUNWAY_API_BASE", description="Runway API")
    luma_api_base: str = Field(
        "https://api.lumalabs.ai/dream-machine/v1", alias="LUMA_API_BASE", description="Luma API"
    )
    pika_api_base: str = Field(
        "https://queue.fal.run", alias="PIKA_API_BASE", description="the queue of fal, which serves Pika"
    )
    translation_api_base: str = Field(
        "https://api.openai.com/v1",
        alias="TRANSLATION_API_BASE",
        description="hosted translation: the address before /chat/completions",
    )
    translation_api_model: str = Field(
        "gpt-4o-mini",
        alias="TRANSLATION_API_MODEL",
        description="hosted translation: a chat model that answers in JSON",
    )
    youtube_api_base: str = Field(
        "https://youtube.googleapis.com", alias="YOUTUBE_API_BASE", description="YouTube Data API"
    )
    youtube_upload_base: str = Field(
        "https://youtube.googleapis.com", alias="YOUTUBE_UPLOAD_BASE", description="YouTube uploads"
    )
    youtube_analytics_base: str = Field(
        "https://youtubeanalytics.googleapis.com", alias="YOUTUBE_ANALYTICS_BASE", description="YouTube Analytics API"
    )
    youtube_hub_url: str = Field(
        "https://pubsubhubbub.appspot.com/subscribe",
        alias="YOUTUBE_HUB_URL",
        description="hub of YouTube's push notifications",
    )
    google_token_url: str = Field(
        "https://oauth2.googleapis.com/token", alias="GOOGLE_TOKEN_URL", description="Google's OAuth token endpoint"
    )
    google_auth_url: str = Field(
        "https://accounts.google.com/o/oauth2/v2/auth", alias="GOOGLE_AUTH_URL", description="Google's consent page"
    )
    tiktok_api_base: str = Field("https://open.tiktokapis.com", alias="TIKTOK_API_BASE", description="TikTok API")
    tiktok_auth_url: str = Field(
        "https://www.tiktok.com/v2/auth/authorize/", alias="TIKTOK_AUTH_URL", description="TikTok's consent page"
    )
    tiktok_client_key: str = Field(
        "",
        alias="TIKTOK_CLIENT_KEY",
        description="the studio's registration with TikTok; the Settings page comes first",
    )
    tiktok_client_secret: str = Field("", alias="TIKTOK_CLIENT_SECRET", description="the secret of that registration")
    tiktok_webhook_seconds: int = Field(
        300, alias="TIKTOK_WEBHOOK_SECONDS", description="oldest notification of TikTok that is taken, seconds", ge=1
    )
    facebook_graph_base: str = Field("https://graph.facebook.com", alias="FACEBOOK_GRAPH_BASE", description="Graph API")
    facebook_video_base: str = Field(
        "https://graph-video.facebook.com", alias="FACEBOOK_VIDEO_BASE", description="Graph API, videos"
    )
    facebook_rupload_base: str = Field(
        "https://rupload.facebook.com", alias="FACEBOOK_RUPLOAD_BASE", description="Facebook resumable uploads"
    )
    facebook_dialog_base: str = Field(
        "https://www.facebook.com", alias="FACEBOOK_DIALOG_BASE", description="Facebook's login dialog"
    )
    instagram_graph_base: str = Field(
        "https://graph.facebook.com", alias="INSTAGRAM_GRAPH_BASE", description="Instagram Graph API"
    )
    instagram_rupload_base: str = Field(
        "https://rupload.facebook.com", alias="INSTAGRAM_RUPLOAD_BASE", description="Instagram resumable uploads"
    )
    meta_graph_version: str = Field(
        "v25.0",
        alias="META_GRAPH_VERSION",
        description="version of the Graph API that is spoken",
        pattern=r"^v\d+\.\d+$",
    )
    meta_app_id: str = Field(
        "", alias="META_APP_ID", description="the studio's app at Meta; what the Settings page stores comes first"
    )
    meta_app_secret: str = Field("", alias="META_APP_SECRET", description="the secret of that app")
    meta_verify_token: str = Field(
        "", alias="META_VERIFY_TOKEN", description="the word that Meta repeats when webhooks are set up"
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("storage_url")
    @classmethod
    def _names_a_folder(cls, value: str) -> str:
        scheme = value.partition("://")[0] if "://" in value else "file"
        if scheme != "file":
            raise ValueError(
                f"this version keeps its files in a folder and cannot use {scheme}://. "
                "Give a path, or a file:// address of one"
            )
        return value

    @field_validator("database_url")
    @classmethod
    def _names_postgresql(cls, value: str) -> str:
        if value and not re.match(r"postgres(ql)?(\+psycopg)?://", value):
            raise ValueError("it must be the address of a PostgreSQL, like postgresql://user:password@host/name")
        return value

    @property
    def root(self) -> Path:
        """The data folder as an absolute path."""
        return self.data_dir.expanduser().resolve()

    @property
    def address(self) -> str:
        """Where a browser finds the studio."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def has_identity_provider(self) -> bool:
        """Whether people may sign in through OpenID Connect."""
        return bool(self.oidc_discovery_url and self.oidc_client_id and self.oidc_client_secret)

    @property
    def embedded_database(self) -> bool:
        return not self.database_url

    @property
    def embedded_redis(self) -> bool:
        return not self.redis_url

    @property
    def postgres_dir(self) -> Path:
        return self.root / "postgres"

    @property
    def socket_dir(self) -> Path:
        """Folder of the embedded servers' sockets: inside the data folder, or, where that path is too long for a
        socket address (108 bytes, unix(7)), a private folder in the system's temporary one."""
        inside = self.root / "run"
        # redis-py splits what the server tells of a connection, the socket's path in it, at spaces and equal signs.
        plain = not any(char.isspace() or char == "=" for char in str(inside))
        if plain and len(str(inside).encode()) <= LONGEST_SOCKET_DIR:
            return inside
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        # The same for every process of this user, whatever its TMPDIR says, and short.
        temporary = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
        return temporary / f"creator-studio-{os.getuid()}-{digest}"

    @property
    def valkey_socket(self) -> Path:
        return self.socket_dir / "valkey"

    @property
    def assets_dir(self) -> Path:
        """Folder of the assets' files."""
        if not self.storage_url:
            return self.root / "assets"
        path = unquote(urlsplit(self.storage_url).path) if "://" in self.storage_url else self.storage_url
        return Path(path).expanduser().resolve()

    @property
    def uploads_dir(self) -> Path:
        return self.root / "uploads"

    @property
    def jobs_dir(self) -> Path:
        return self.root / "jobs"

    @property
    def models_dir(self) -> Path:
        return self.root / "models"

    @property
    def effective_database_url(self) -> str:
        """SQLAlchemy URL of the configured or the embedded PostgreSQL."""
        if self.database_url:
            return "postgresql+psycopg" + self.database_url[self.database_url.index("://") :]
        return f"postgresql+psycopg://postgres:@/postgres?host={quote(str(self.socket_dir))}"

    @property
    def effective_redis_url(self) -> str:
        """URL of the configured or the embedded Redis."""
        return self.redis_url or f"unix://{quote(str(self.valkey_socket))}"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Host names (without port) a request may carry; others are refused against DNS rebinding."""
        extra = {name.strip().lower() for name in self.hosts.split(",") if name.strip()}
        return frozenset({"127.0.0.1", "localhost", "[::1]", "::1"} | extra)

    @property
    def loopback_only(self) -> bool:
        """Whether only this machine can reach the studio: bound to loopback and no other host name allowed."""
        return self.host in {"127.0.0.1", "localhost", "::1"} and not self.hosts.strip()


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once (``get_settings.cache_clear()`` reads them anew)."""
    return Settings()
