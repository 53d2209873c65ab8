/** Something that whoever runs the command can mend: shown as its message alone. */
export class BackupError extends Error {}
