"""What the export of an evidence bundle refuses.

AuditError
└── ExportRefused   no such procedure, nothing signed, a folder in use, or a bundle that does not verify
"""

from __future__ import annotations

from cryotrail_audit.errors import AuditError


class ExportRefused(AuditError):
    """No bundle was written; the folder is as it was."""
