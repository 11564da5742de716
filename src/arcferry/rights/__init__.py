"""What each task asks of Azure Resource Manager, as dated data, and custom roles that grant just that."""

from arcferry.rights.forms import FORMS, Place, RoleFile, assignment, role_files
from arcferry.rights.page import rights_page
from arcferry.rights.tasks import Right, Rights, Scope, Task, User, rights, task

__all__ = [
    "FORMS",
    "Place",
    "Right",
    "Rights",
    "RoleFile",
    "Scope",
    "Task",
    "User",
    "assignment",
    "rights",
    "rights_page",
    "role_files",
    "task",
]
