"""A folder seen through FUSE whose disk fails on request.

    python3 failing_disk.py FOLDER MOUNTPOINT TRIGGER

While the file TRIGGER exists, every write, sync and growth of a file below MOUNTPOINT fails with "input
output error"; reading goes on. Needs Debian's python3-fusepy and fuse3, and a user who may mount.
"""

import errno
import os
import sys

from fusepy import FUSE, FuseOSError, Operations

ATTRIBUTES = ("st_atime", "st_ctime", "st_gid", "st_ino", "st_mode", "st_mtime", "st_nlink",
              "st_size", "st_uid", "st_blocks")


class FailingDisk(Operations):
    """Passes everything on, unless it is to fail."""

    def __init__(self, folder, trigger):
        self.folder = folder
        self.trigger = trigger

    def _path(self, path):
        return self.folder + path

    def _check(self):
        if os.path.exists(self.trigger):
            raise FuseOSError(errno.EIO)

    def getattr(self, path, fh=None):
        try:
            found = os.lstat(self._path(path))
        except OSError as error:
            raise FuseOSError(error.errno) from None
        return {key: getattr(found, key) for key in ATTRIBUTES}

    def readdir(self, path, fh):
        return [".", "..", *os.listdir(self._path(path))]

    def statfs(self, path):
        found = os.statvfs(self._path(path))
        return {key: getattr(found, key) for key in
                ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files",
                 "f_flag", "f_frsize", "f_namemax")}

    def open(self, path, flags):
        return os.open(self._path(path), flags)

    def create(self, path, mode, fi=None):
        self._check()
        return os.open(self._path(path), os.O_RDWR | os.O_CREAT, mode)

    def read(self, path, size, offset, fh):
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        self._check()
        return os.pwrite(fh, data, offset)

    def truncate(self, path, length, fh=None):
        self._check()
        os.truncate(self._path(path), length)

    def fsync(self, path, datasync, fh):
        self._check()
        os.fsync(fh)

    def release(self, path, fh):
        os.close(fh)

    def unlink(self, path):
        self._check()
        os.unlink(self._path(path))

    def mkdir(self, path, mode):
        self._check()
        os.mkdir(self._path(path), mode)

    def rmdir(self, path):
        self._check()
        os.rmdir(self._path(path))

    def rename(self, old, new):
        self._check()
        os.rename(self._path(old), self._path(new))

    def chmod(self, path, mode):
        os.chmod(self._path(path), mode)

    def chown(self, path, uid, gid):
        os.chown(self._path(path), uid, gid)


if __name__ == "__main__":
    folder, mountpoint, trigger = sys.argv[1:]
    FUSE(FailingDisk(folder, trigger), mountpoint, foreground=True, nothreads=False,
         big_writes=True)
