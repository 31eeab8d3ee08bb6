"""The API's documentation at /api/docs: Swagger UI from our own origin, so it works without the internet."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from api.dependencies import CurrentActor

router = APIRouter(include_in_schema=False)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Creator Studio API</title>
<link rel="icon" href="/vendor/swagger-ui-dist/favicon-32x32.png">
<link rel="stylesheet" href="/vendor/swagger-ui-dist/swagger-ui.css">
</head>
<body>
<div id="documentation"></div>
<script src="/vendor/swagger-ui-dist/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
"""

_SCRIPT = """SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#documentation",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


@router.get("/docs", response_class=HTMLResponse)
def documentation(_actor: CurrentActor) -> Response:
    """Swagger UI."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": POLICY})


@router.get("/docs/start.js")
def start_script(_actor: CurrentActor) -> Response:
    """Starts Swagger UI; a file of its own because the page allows no inline script."""
    return Response(_SCRIPT, media_type="text/javascript")


@router.get("/openapi.json")
def schema(request: Request, _actor: CurrentActor) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())
