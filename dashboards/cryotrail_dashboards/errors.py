"""What the pages and their server refuse.

CryotrailError
└── DashboardError
    ├── WarehouseUnreadable  the file is there and cannot be read as a publication
    ├── UnknownProcedure     no procedure of the publication carries that label or id
    ├── PortInUse            another process listens where the pages should be served
    └── ServerFailed         the page server ended, or did not answer in time
"""

from __future__ import annotations

from cryotrail_schemas.errors import CryotrailError


class DashboardError(CryotrailError):
    """Something that the pages or their server could not do."""


class WarehouseUnreadable(DashboardError):
    """The published file cannot be opened, or it lacks a table that the pages read."""


class UnknownProcedure(DashboardError):
    """No procedure of the publication carries this label or id; another is never shown instead."""


class PortInUse(DashboardError):
    """Another process already listens on the address of the page server."""


class ServerFailed(DashboardError):
    """The page server ended early, or did not answer in time; its log says why."""
